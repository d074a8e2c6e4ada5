{{/* How Redis is reached: `bundled`, `url`, `sentinel`, `cluster`, or nothing. Takes the root. */}}
{{- define "zai2api.redisMode" -}}
{{- if .Values.redis.bundled.enabled -}}bundled
{{- else if or .Values.secrets.redisUrl.value .Values.secrets.redisUrl.existingSecret -}}url
{{- else if .Values.redis.sentinels -}}sentinel
{{- else if .Values.redis.clusterNodes -}}cluster
{{- end -}}
{{- end }}

{{- define "zai2api.redisPort" -}}6379{{- end }}

{{/* Where Redis is, without what is secret, as YAML. Takes the root. */}}
{{- define "zai2api.redisVariables" -}}
{{- $redis := .Values.redis -}}
{{- $mode := include "zai2api.redisMode" . -}}
{{- if eq $mode "bundled" }}
REDIS_URL: redis://{{ include "zai2api.fullname" . }}-redis:{{ include "zai2api.redisPort" . }}/0
{{- else if eq $mode "sentinel" }}
REDIS_SENTINELS: {{ join "," $redis.sentinels | quote }}
REDIS_SENTINEL_NAME: {{ $redis.sentinelName | quote }}
{{- with $redis.sentinelUsername }}
REDIS_SENTINEL_USERNAME: {{ . | quote }}
{{- end }}
{{- else if eq $mode "cluster" }}
REDIS_CLUSTER_NODES: {{ join "," $redis.clusterNodes | quote }}
{{- end }}
{{- if $mode }}
REDIS_KEY_PREFIX: {{ $redis.keyPrefix | quote }}
{{- with $redis.username }}
REDIS_USERNAME: {{ . | quote }}
{{- end }}
{{- if $redis.tls.enabled }}
REDIS_TLS: true
{{- end }}
{{- with $redis.tls.caKey }}
REDIS_TLS_CA_FILE: {{ include "zai2api.redisTlsFolder" $ }}/{{ . }}
{{- end }}
{{- with $redis.tls.certKey }}
REDIS_TLS_CERT_FILE: {{ include "zai2api.redisTlsFolder" $ }}/{{ . }}
{{- end }}
{{- with $redis.tls.keyKey }}
REDIS_TLS_KEY_FILE: {{ include "zai2api.redisTlsFolder" $ }}/{{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* redis.conf of the bundled Redis, without its password. Takes the root. */}}
{{- define "zai2api.redisConfiguration" -}}
port {{ include "zai2api.redisPort" . }}
dir /data
# Full, it refuses what is new: it must not forget leases and jobs, and not be killed with all that it has.
maxmemory {{ .Values.redis.bundled.maxmemory }}
maxmemory-policy noeviction
save ""
appendonly {{ ternary "yes" "no" .Values.redis.bundled.persistence.enabled }}
{{- end }}
