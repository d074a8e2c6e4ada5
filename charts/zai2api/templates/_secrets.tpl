{{/*
The secrets as YAML rows: `variable` is what the processes read, `used` by which services, `isList` whether the block has `values`,
`generated` the length of one that is made when it is not given. Takes the root.
*/}}
{{- define "zai2api.secretRows" -}}
apiKeys:
  variable: ZAI_API_KEY
  used: {{ ternary "[gateway]" "[]" .Values.auth.enabled }}
  isList: true
  generated: {{ ternary 40 0 .Values.auth.enabled }}
  prefix: sk-
userTokens:
  variable: ZAI_UPSTREAM_TOKEN
  used: [chat-translator]
  isList: true
platformKeys:
  variable: ZAI_PLATFORM_API_KEY
  used: [chat-translator]
  isList: true
signingSecret:
  variable: ZAI_SIGNING_SECRET
  used: [chat-translator, token-refresher]
sealSecret:
  variable: ZAI_SEAL_SECRET
  used: [chat-translator]
  generated: 48
redisUrl:
  variable: REDIS_URL
  used: {{ include "zai2api.redisUsers" . }}
redisPassword:
  variable: REDIS_PASSWORD
  used: {{ include "zai2api.redisUsers" . }}
  generated: {{ ternary 32 0 .Values.redis.bundled.enabled }}
redisSentinelPassword:
  variable: REDIS_SENTINEL_PASSWORD
  used: {{ include "zai2api.redisUsers" . }}
otlpHeaders:
  variable: OTEL_EXPORTER_OTLP_HEADERS
  used: {{ ternary (keys (include "zai2api.components" . | fromYaml) | sortAlpha) list (ne .Values.tracing.endpoint "") | toJson }}
{{- end }}

{{/* The services that talk to Redis. */}}
{{- define "zai2api.redisUsers" -}}
[gateway, chat-translator, token-refresher]
{{- end }}

{{/*
Where a secret is, as YAML: `name` and `key` of the Secret, and `value` when it stands in the Secret of this release. Empty when there is
none. Takes root and secret (the name of its block).
*/}}
{{- define "zai2api.secret" -}}
{{- $row := index (include "zai2api.secretRows" .root | fromYaml) .secret -}}
{{- $block := index .root.Values.secrets .secret -}}
{{- $value := ternary (join "," ($block.values | default list)) ($block.value | default "") ($row.isList | default false) -}}
{{- $fullname := include "zai2api.fullname" .root -}}
{{- if $block.existingSecret }}
name: {{ $block.existingSecret }}
key: {{ $block.existingSecretKey }}
{{- else if $value }}
name: {{ $fullname }}
key: {{ $block.existingSecretKey }}
value: {{ $value | quote }}
{{- else if $row.generated }}
name: {{ $fullname }}-generated
key: {{ $block.existingSecretKey }}
generated: {{ $row.generated }}
prefix: {{ $row.prefix | default "" | quote }}
{{- end }}
{{- end }}

{{/*
What stands in the Secret of this release, by key. Takes root and, for the part of one service, component. What is generated is not in it: it
stays as it is, and whoever renders twice gets the same.
*/}}
{{- define "zai2api.givenSecrets" -}}
{{- range $secret, $row := include "zai2api.secretRows" .root | fromYaml }}
{{- if or (not $.component) (has $.component $row.used) }}
{{- $place := include "zai2api.secret" (dict "root" $.root "secret" $secret) | fromYaml }}
{{- with $place.value }}
{{ $place.key }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
`true` when an upstream has credentials, or may have some that the values do not show. Guest and user tokens get into a Redis by a
token-refresher: that of this release or, for an external Redis, another one. Takes the root.
*/}}
{{- define "zai2api.hasCredentials" -}}
{{- $values := .Values -}}
{{- $mode := include "zai2api.redisMode" . -}}
{{- $refresher := include "zai2api.service" (dict "root" . "component" "token-refresher") | fromYaml -}}
{{- $translator := include "zai2api.service" (dict "root" . "component" "chat-translator") | fromYaml -}}
{{- $upstreams := include "zai2api.plainVariable" (dict "service" $translator "name" "ZAI_UPSTREAMS") | default "platform,web" -}}
{{- $userTokens := include "zai2api.secret" (dict "root" . "secret" "userTokens") -}}
{{- $has := not (empty $translator.values.extraEnvFrom) -}}
{{- if contains "platform" $upstreams -}}
{{- $keys := or (include "zai2api.secret" (dict "root" . "secret" "platformKeys")) (include "zai2api.hasExtra" (dict "values" $translator.values "name" "ZAI_PLATFORM_API_KEY")) -}}
{{- $has = or $has $keys -}}
{{- end -}}
{{- if contains "web" $upstreams -}}
{{- range $name := list "REDIS_URL" "REDIS_SENTINELS" "REDIS_CLUSTER_NODES" -}}
{{- $has = or $has (include "zai2api.hasExtra" (dict "values" $translator.values "name" $name)) -}}
{{- end -}}
{{- if $refresher.values.enabled -}}
{{- $has = or $has $values.guests.enabled $userTokens -}}
{{- range $name := list "ZAI_UPSTREAM_TOKEN" "ZAI_UPSTREAM_TOKEN_FILE" -}}
{{- $has = or $has (include "zai2api.hasExtra" (dict "values" $refresher.values "name" $name)) -}}
{{- end -}}
{{- else if $mode -}}
{{- $has = or $has (ne $mode "bundled") -}}
{{- else -}}
{{- $has = or $has $userTokens (include "zai2api.hasExtra" (dict "values" $translator.values "name" "ZAI_UPSTREAM_TOKEN")) -}}
{{- end -}}
{{- end -}}
{{- if $has -}}true{{- end -}}
{{- end }}
