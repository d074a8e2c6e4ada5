{{/*
The services, by the name of their objects. `key` is the block in the values, `port` what they listen on besides the admin port, `inflight`
the metric of what runs in a pod at once. A new service is a row here and a block in the values.
*/}}
{{- define "zai2api.components" -}}
gateway:
  key: gateway
  port: 8080
  inflight: zai_gateway_inflight_requests
chat-translator:
  key: chatTranslator
  port: 8081
  inflight: zai_translator_running_turns
token-refresher:
  key: tokenRefresher
{{- end }}

{{/* The port of `/livez`, `/readyz`, `/startupz` and `/metrics` in every service. */}}
{{- define "zai2api.adminPort" -}}9464{{- end }}

{{/*
All that the templates of one service need, as YAML: name, key, port, inflight, fullname, values (the block over `defaults`), stop
(seconds), the fewest pods that run, and whether more than one may. Takes root and component.
*/}}
{{- define "zai2api.service" -}}
{{- $row := index (include "zai2api.components" .root | fromYaml) .component -}}
{{- $values := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (index .root.Values $row.key)) -}}
{{- $least := int $values.replicas -}}
{{- $most := $least -}}
{{- range $scaling := list $values.autoscaling $values.keda -}}
{{- if $scaling.enabled -}}
{{- $least = int $scaling.minReplicas -}}
{{- $most = int $scaling.maxReplicas -}}
{{- end -}}
{{- end -}}
{{- $service := merge $row (dict
    "name" .component
    "fullname" (printf "%s-%s" (include "zai2api.fullname" .root) .component)
    "values" $values
    "stop" (include "zai2api.stopSeconds" $values | fromYaml)
    "least" $least
    "isMany" (gt $most 1)
    "isScaled" (or $values.autoscaling.enabled $values.keda.enabled)) -}}
{{- toYaml $service -}}
{{- end }}

{{/*
The seconds of a stop, all from `streamSeconds`. First the pod is taken out of the endpoints while it goes on serving (`preStop`); then the
process says by its readiness that it leaves, for balancers that look at that (`drainDelay`); then it waits for its answers. Both pauses are
a tenth of the longest answer, at most 10 s. `timeout` counts from the signal, `grace` from before preStop, with time to let go of Redis.
*/}}
{{- define "zai2api.stopSeconds" -}}
{{- $pause := min 10 (max 1 (div (int .streamSeconds) 10)) -}}
preStop: {{ $pause }}
drainDelay: {{ $pause }}
timeout: {{ add $pause (int .streamSeconds) }}
grace: {{ add $pause $pause (int .streamSeconds) 15 }}
{{- end }}

{{- define "zai2api.serviceAccountName" -}}
{{- .values.serviceAccount.name | default (ternary .fullname "default" .values.serviceAccount.create) -}}
{{- end }}
