{{/* The port of `host:port` or of a URL, which may leave it to its scheme; empty when there is none. Takes a text. */}}
{{- define "zai2api.portOf" -}}
{{- $port := regexReplaceAll "^[a-z]+://" . "" | regexFind "^[^/?#]*" | regexFind ":[0-9]+$" | trimPrefix ":" -}}
{{- $port | default (get (dict "http" "80" "https" "443" "redis" "6379" "rediss" "6379") (regexFind "^[a-z]+" .)) -}}
{{- end }}

{{/* The ports of a rule as a list, each once. Takes ports and addresses. */}}
{{- define "zai2api.rulePorts" -}}
{{- $ports := list -}}
{{- range .ports -}}{{- $ports = append $ports (toString .) -}}{{- end -}}
{{- range .addresses -}}{{- $ports = append $ports (include "zai2api.portOf" .) -}}{{- end -}}
{{- range $ports | compact | uniq }}
- { port: {{ . }}, protocol: TCP }
{{- end }}
{{- end }}

{{/* Where the values say that an external Redis is, as a list. What stands in a Secret of the user is not known. Takes the root. */}}
{{- define "zai2api.redisAddresses" -}}
{{- $mode := include "zai2api.redisMode" . -}}
{{- if eq $mode "sentinel" -}}{{- toJson .Values.redis.sentinels -}}
{{- else if eq $mode "cluster" -}}{{- toJson .Values.redis.clusterNodes -}}
{{- else -}}{{- list .Values.secrets.redisUrl.value | compact | toJson -}}
{{- end -}}
{{- end }}

{{/* Where the values of a service say that its upstreams are, and what it fetches media from besides, as a list. Takes root and service. */}}
{{- define "zai2api.upstreamAddresses" -}}
{{- $known := get (include "zai2api.knownSettings" .root | fromYaml).services .service.name -}}
{{- $addresses := list -}}
{{- range $name := list "ZAI_API_BASE" "ZAI_PLATFORM_BASE" -}}
{{- if has $name $known -}}
{{- $addresses = append $addresses (include "zai2api.plainVariable" (dict "service" $.service "name" $name)) -}}
{{- end -}}
{{- end -}}
{{- if has "ZAI_MEDIA_ALLOW_HTTP" $known -}}
{{- if has (include "zai2api.plainVariable" (dict "service" .service "name" "ZAI_MEDIA_ALLOW_HTTP") | lower) (list "true" "1" "yes" "on" "y" "enabled") -}}
{{- $addresses = append $addresses "http://media" -}}
{{- end -}}
{{- end -}}
{{- $addresses | compact | toJson -}}
{{- end }}

{{/* `true` when a URL has a host that is none of the public network, as far as its name tells. Takes a text. */}}
{{- define "zai2api.isPrivate" -}}
{{- $host := regexReplaceAll "^[a-z]+://([^/?#]*@)?" . "" | regexFind "^(\\[[^]]*\\]|[^:/?#]*)" -}}
{{- if regexMatch "^([^.:]+|.*\\.(svc|local|internal)|.*\\.svc\\..*|(10|127)\\..*|192\\.168\\..*|172\\.(1[6-9]|2[0-9]|3[01])\\..*|\\[(::1|f[cd].*)\\])$" $host -}}true{{- end -}}
{{- end }}
