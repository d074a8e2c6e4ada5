{{/*
The environment of a service as a list: what the chart derives, by name, then `extraEnv`, which takes the place of a variable of the same name,
then what refers to other variables, as Kubernetes wants it. Takes root and service.
*/}}
{{- define "zai2api.environment" -}}
{{- $values := .service.values -}}
{{- $own := dict -}}
{{- range $name, $value := include "zai2api.derivedVariables" . | fromYaml }}
{{- $_ := set $own $name (dict "value" (include "zai2api.text" $value)) -}}
{{- end }}
{{- if .root.Values.tracing.endpoint -}}
{{- range $name, $path := dict "K8S_NODE_NAME" "spec.nodeName" "K8S_POD_NAME" "metadata.name" }}
{{- $_ := set $own $name (dict "valueFrom" (dict "fieldRef" (dict "fieldPath" $path))) -}}
{{- end }}
{{- end }}
{{- $known := get (include "zai2api.knownSettings" .root | fromYaml).services .service.name -}}
{{- range $name, $value := $values.settings }}
{{- /* What stands in `defaults` may be for another service. */}}
{{- if has $name $known }}
{{- $_ := set $own $name (dict "value" (include "zai2api.text" $value)) -}}
{{- end }}
{{- end }}
{{- range $secret, $row := include "zai2api.secretRows" .root | fromYaml }}
{{- if has $.service.name $row.used }}
{{- with include "zai2api.secret" (dict "root" $.root "secret" $secret) | fromYaml }}
{{- $_ := set $own $row.variable (dict "valueFrom" (dict "secretKeyRef" (dict "name" .name "key" .key))) -}}
{{- end }}
{{- end }}
{{- end }}
{{- range $values.extraEnv }}
{{- $_ := unset $own .name -}}
{{- end }}
{{- $refers := list }}
{{- range $name := keys $own | sortAlpha }}
{{- if contains "$(" ((get $own $name).value | default "") }}
{{- $refers = append $refers $name }}
{{- else }}
- name: {{ $name }}
  {{- toYaml (get $own $name) | nindent 2 }}
{{- end }}
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- range $name := $refers }}
- name: {{ $name }}
  {{- toYaml (get $own $name) | nindent 2 }}
{{- end }}
{{- end }}

{{/* The variables that follow from the other values, as YAML. Takes root and service. */}}
{{- define "zai2api.derivedVariables" -}}
{{- $values := .root.Values -}}
ZAI_ADMIN_HOST: {{ $values.listenAddress | quote }}
ZAI_ADMIN_PORT: {{ include "zai2api.adminPort" .root }}
ZAI_LOG_FORMAT: json
ZAI_SHUTDOWN_DRAIN_DELAY: {{ .service.stop.drainDelay }}
ZAI_SHUTDOWN_TIMEOUT: {{ .service.stop.timeout }}
{{- if eq .service.name "gateway" }}
ZAI_HOST: {{ $values.listenAddress | quote }}
ZAI_PORT: {{ .service.port }}
ZAI_API_KEY_ENABLED: {{ $values.auth.enabled }}
{{- with include "zai2api.translatorUrl" .root }}
ZAI_TRANSLATOR_URL: {{ . }}
{{- end }}
{{- end }}
{{- if eq .service.name "chat-translator" }}
ZAI_TRANSLATOR_HOST: {{ $values.listenAddress | quote }}
ZAI_TRANSLATOR_PORT: {{ .service.port }}
{{- end }}
{{- if eq .service.name "token-refresher" }}
ZAI_ANON_TOKEN_ENABLED: {{ $values.guests.enabled }}
{{- if include "zai2api.secret" (dict "root" .root "secret" "userTokens") | fromYaml }}
ZAI_UPSTREAM_TOKEN_FILE: {{ include "zai2api.userTokensFolder" .root }}/tokens
{{- end }}
{{- end }}
{{- with $values.tracing }}
{{- if .endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .endpoint | quote }}
{{- with .protocol }}
OTEL_EXPORTER_OTLP_PROTOCOL: {{ . }}
{{- end }}
OTEL_TRACES_SAMPLER: parentbased_traceidratio
OTEL_TRACES_SAMPLER_ARG: {{ .ratio | quote }}
OTEL_RESOURCE_ATTRIBUTES: {{ printf "k8s.namespace.name=%s,k8s.deployment.name=%s,k8s.node.name=$(K8S_NODE_NAME),k8s.pod.name=$(K8S_POD_NAME)" $.root.Release.Namespace $.service.fullname }}
{{- end }}
{{- end }}
{{- if has .service.name (include "zai2api.redisUsers" .root | fromYamlArray) }}
{{ include "zai2api.redisVariables" .root }}
{{- end }}
{{- end }}

{{/* Which settings each service has, and where the others are set, as YAML. Takes the root. */}}
{{- define "zai2api.knownSettings" -}}
{{- .Files.Get "files/settings.yaml" -}}
{{- end }}

{{/* Where the translator of this release is; empty when it has none, and extraEnv or extraEnvFrom of the gateway name another. Takes the root. */}}
{{- define "zai2api.translatorUrl" -}}
{{- $translator := include "zai2api.service" (dict "root" . "component" "chat-translator") | fromYaml -}}
{{- if $translator.values.enabled -}}
http://{{ $translator.fullname }}:{{ int $translator.values.service.port }}
{{- end }}
{{- end }}

{{/*
The value of a variable as far as the values of a service show it: empty when it has none, or one from a Secret or ConfigMap. Takes service and
name.
*/}}
{{- define "zai2api.plainVariable" -}}
{{- $value := include "zai2api.text" (get .service.values.settings .name) -}}
{{- range .service.values.extraEnv -}}
{{- if eq .name $.name -}}{{- $value = .value | default "" -}}{{- end -}}
{{- end -}}
{{- $value -}}
{{- end }}

{{/* `true` when extraEnv has the variable, or extraEnvFrom may have it. Takes values and name. */}}
{{- define "zai2api.hasExtra" -}}
{{- $has := not (empty .values.extraEnvFrom) -}}
{{- range .values.extraEnv -}}
{{- if eq .name $.name -}}{{- $has = true -}}{{- end -}}
{{- end -}}
{{- if $has -}}true{{- end -}}
{{- end }}

{{- define "zai2api.userTokensFolder" -}}/var/run/secrets/zai2api/user-tokens{{- end }}
{{- define "zai2api.redisTlsFolder" -}}/var/run/secrets/zai2api/redis-tls{{- end }}
