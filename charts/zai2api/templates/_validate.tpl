{{/*
What the schema cannot say. All faults are told at once. Takes the root.
*/}}
{{- define "zai2api.validate" -}}
{{- $faults := include "zai2api.faults" . | trim -}}
{{- if $faults -}}
{{- fail (printf "\n\nThe values cannot be used:\n\n%s\n" $faults) -}}
{{- end -}}
{{- end }}

{{- define "zai2api.faults" -}}
{{- $values := .Values -}}
{{- $redis := .Values.redis -}}
{{- $mode := include "zai2api.redisMode" . -}}
{{- range $name, $block := $values.secrets }}
{{- if and $block.existingSecret (or $block.value $block.values) }}
- secrets.{{ $name }}: has a value and an existingSecret; give one of them.
{{- end }}
{{- end }}
{{- $ways := list }}
{{- if $redis.bundled.enabled }}{{ $ways = append $ways "redis.bundled.enabled" }}{{ end }}
{{- if or $values.secrets.redisUrl.value $values.secrets.redisUrl.existingSecret }}{{ $ways = append $ways "secrets.redisUrl" }}{{ end }}
{{- if $redis.sentinels }}{{ $ways = append $ways "redis.sentinels" }}{{ end }}
{{- if $redis.clusterNodes }}{{ $ways = append $ways "redis.clusterNodes" }}{{ end }}
{{- if gt (len $ways) 1 }}
- {{ join " and " $ways }} each say where Redis is; leave one{{ if $redis.bundled.enabled }} (redis.bundled.enabled=false for an external Redis){{ end }}.
{{- end }}
{{- if and $redis.bundled.enabled (or $redis.tls.enabled $redis.tls.existingSecret $redis.username) }}
- redis.tls and redis.username are for an external Redis; the bundled one has neither.
{{- end }}
{{- if and (or $redis.tls.caKey $redis.tls.certKey $redis.tls.keyKey) (not $redis.tls.existingSecret) }}
- redis.tls.existingSecret: names no Secret, but caKey, certKey or keyKey is to be read from one.
{{- end }}
{{- if and $redis.tls.existingSecret (not (or $redis.tls.caKey $redis.tls.certKey $redis.tls.keyKey)) }}
- redis.tls.existingSecret: say by caKey, certKey and keyKey what is in it.
{{- end }}
{{- if ne (empty $redis.tls.certKey) (empty $redis.tls.keyKey) }}
- redis.tls.certKey and redis.tls.keyKey belong together.
{{- end }}
{{- if and (or $values.secrets.redisSentinelPassword.value $values.secrets.redisSentinelPassword.existingSecret $redis.sentinelUsername) (not $redis.sentinels) }}
- redis.sentinels: is empty, but there is a user or password for Sentinels.
{{- end }}
{{- include "zai2api.settingFaults" (dict "root" . "key" "defaults" "services" (keys (include "zai2api.components" . | fromYaml))) }}
{{- range $component, $row := include "zai2api.components" . | fromYaml }}
{{- include "zai2api.settingFaults" (dict "root" $ "key" $row.key "services" (list $component)) }}
{{- $service := include "zai2api.service" (dict "root" $ "component" $component) | fromYaml }}
{{- if $service.values.enabled }}
{{- include "zai2api.serviceFaults" (dict "root" $ "service" $service) }}
{{- end }}
{{- end }}
{{- include "zai2api.serviceAccountFaults" . }}
{{- $refresher := include "zai2api.service" (dict "root" . "component" "token-refresher") | fromYaml }}
{{- $translator := include "zai2api.service" (dict "root" . "component" "chat-translator") | fromYaml }}
{{- $gateway := include "zai2api.service" (dict "root" . "component" "gateway") | fromYaml }}
{{- if and $refresher.values.enabled (not $mode) }}
- tokenRefresher: fills a Redis that the translators share, and there is none. Set secrets.redisUrl, redis.sentinels, redis.clusterNodes or redis.bundled.enabled, or tokenRefresher.enabled=false.
{{- end }}
{{- if and $gateway.values.enabled (not $translator.values.enabled) (not (include "zai2api.hasExtra" (dict "values" $gateway.values "name" "ZAI_TRANSLATOR_URL"))) }}
- chatTranslator.enabled: is false, so the gateway needs the address of another one: a ZAI_TRANSLATOR_URL in gateway.extraEnv or gateway.extraEnvFrom{{ if $values.networkPolicy.enabled }}, and a way to it in gateway.networkPolicy.extraEgress{{ end }}.
{{- end }}
{{- if and $translator.values.enabled (not (include "zai2api.hasCredentials" .)) }}
- no upstream has credentials{{ with include "zai2api.plainVariable" (dict "service" $translator "name" "ZAI_UPSTREAMS") }} (ZAI_UPSTREAMS: {{ . }}){{ end }}: set secrets.platformKeys, or enable the tokenRefresher with guests.enabled or secrets.userTokens. Without any Redis, secrets.userTokens need no tokenRefresher.
{{- end }}
{{- if and (or $values.ingress.enabled $values.httpRoute.enabled) (not $gateway.values.enabled) }}
- gateway.enabled: is false, but ingress or httpRoute lead to it.
{{- end }}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) }}
- ingress.hosts: is empty; name at least one host.
{{- end }}
{{- if and $values.httpRoute.enabled (not $values.httpRoute.parentRefs) }}
- httpRoute.parentRefs: is empty; name the Gateway that the route belongs to.
{{- end }}
{{- if and $values.monitoring.serviceMonitor.enabled $values.monitoring.podMonitor.enabled }}
- monitoring: serviceMonitor and podMonitor would read everything twice; enable one of them.
{{- end }}
{{- if or $values.monitoring.serviceMonitor.enabled $values.monitoring.podMonitor.enabled $values.monitoring.prometheusRule.enabled }}
{{- include "zai2api.needsApi" (dict "root" . "api" "monitoring.coreos.com/v1" "what" "monitoring" "from" "the Prometheus operator") }}
{{- end }}
{{- if $values.httpRoute.enabled }}
{{- include "zai2api.needsApi" (dict "root" . "api" "gateway.networking.k8s.io/v1" "what" "httpRoute" "from" "the Gateway API") }}
{{- end }}
{{- end }}

{{/* Faults of one service. Takes root and service. */}}
{{- define "zai2api.serviceFaults" -}}
{{- $values := .service.values -}}
{{- $key := .service.key -}}
{{- if and $values.autoscaling.enabled $values.keda.enabled }}
- {{ $key }}: autoscaling and keda would scale the same pods; enable one of them.
{{- end }}
{{- if and $values.autoscaling.enabled (gt (int $values.autoscaling.minReplicas) (int $values.autoscaling.maxReplicas)) }}
- {{ $key }}.autoscaling: minReplicas is above maxReplicas.
{{- end }}
{{- if and $values.autoscaling.enabled (not (or $values.autoscaling.targetCPUUtilizationPercentage $values.autoscaling.targetMemoryUtilizationPercentage $values.autoscaling.perPodMetrics $values.autoscaling.extraMetrics)) }}
- {{ $key }}.autoscaling: has no metric to scale on.
{{- end }}
{{- if $values.autoscaling.enabled }}
{{- range $resource, $percent := dict "cpu" $values.autoscaling.targetCPUUtilizationPercentage "memory" $values.autoscaling.targetMemoryUtilizationPercentage }}
{{- if and $percent (not (dig "requests" $resource "" $values.resources)) }}
- {{ $key }}.autoscaling: scales on a percentage of {{ $key }}.resources.requests.{{ $resource }}, which is not set.
{{- end }}
{{- end }}
{{- end }}
{{- if $values.keda.enabled }}
{{- if gt (int $values.keda.minReplicas) (int $values.keda.maxReplicas) }}
- {{ $key }}.keda: minReplicas is above maxReplicas.
{{- end }}
{{- if and (not $values.keda.triggers) (eq (int $values.keda.minReplicas) 0) .service.inflight }}
- {{ $key }}.keda.minReplicas: 0 would never scale up again: the metric comes from the pods themselves. Set 1, or set triggers.
{{- end }}
{{- if not (or $values.keda.triggers (and $values.keda.prometheusAddress .service.inflight)) }}
- {{ $key }}.keda: {{ ternary "prometheusAddress or triggers must be set." "triggers must be set: nothing runs here that could be counted." (hasKey .service "inflight") }}
{{- end }}
{{- include "zai2api.needsApi" (dict "root" .root "api" "keda.sh/v1alpha1" "what" (printf "%s.keda" $key) "from" "KEDA") }}
{{- end }}
{{- if and .service.port (not $values.service.port) }}
- {{ $key }}.service.port: must be set, because others call this service.
{{- end }}
{{- if and $values.service.port (not .service.port) }}
- {{ $key }}.service.port: is set, but the {{ .service.name }} listens on no port that others call.
{{- end }}
{{- if eq $values.service.type "ClusterIP" }}
{{- range $name := list "nodePort" "externalTrafficPolicy" "loadBalancerClass" "loadBalancerSourceRanges" }}
{{- if get $values.service $name }}
- {{ $key }}.service.{{ $name }}: is for a Service of another type than ClusterIP.
{{- end }}
{{- end }}
{{- end }}
{{- if not $values.image.repository }}
- {{ $key }}.image.repository: is empty.
{{- end }}
{{- if and .service.isMany $values.podDisruptionBudget.enabled (kindIs "invalid" $values.podDisruptionBudget.minAvailable) (has (toString $values.podDisruptionBudget.maxUnavailable) (list "0" "0%")) }}
- {{ $key }}.podDisruptionBudget.maxUnavailable: 0 would let no node be drained.
{{- end }}
{{- $kept := $values.podDisruptionBudget.minAvailable }}
{{- if and .service.isMany $values.podDisruptionBudget.enabled (not (kindIs "invalid" $kept)) }}
{{- $least := max 1 (int .service.least) }}
{{- /* Kubernetes rounds a percentage up. */}}
{{- $keptPods := kindIs "string" $kept | ternary (divf (mulf (trimSuffix "%" (toString $kept) | int) $least) 100 | ceil) $kept | int }}
{{- if ge $keptPods $least }}
- {{ $key }}.podDisruptionBudget.minAvailable: {{ $kept }} would let no node be drained while {{ $least }} run.
{{- end }}
{{- end }}
{{- end }}

{{/* Accounts that more than one service would make. Takes the root. */}}
{{- define "zai2api.serviceAccountFaults" -}}
{{- $made := list -}}
{{- range $component, $row := include "zai2api.components" . | fromYaml }}
{{- $service := include "zai2api.service" (dict "root" $ "component" $component) | fromYaml }}
{{- if and $service.values.enabled $service.values.serviceAccount.create }}
{{- $name := include "zai2api.serviceAccountName" $service }}
{{- if has $name $made }}
- {{ $row.key }}.serviceAccount.name: {{ $name }} is made by another service already; set create=false here.
{{- end }}
{{- $made = append $made $name }}
{{- end }}
{{- end }}
{{- end }}

{{/* Names in the settings of one block that its services do not read. Takes root, key (the block) and services. */}}
{{- define "zai2api.settingFaults" -}}
{{- $known := include "zai2api.knownSettings" .root | fromYaml -}}
{{- range $name, $_ := (index .root.Values .key).settings }}
{{- $readers := list }}
{{- range $service, $names := $known.services }}
{{- if has $name $names }}{{ $readers = append $readers $service }}{{ end }}
{{- end }}
{{- $isRead := false }}
{{- range $.services }}
{{- if has . $readers }}{{ $isRead = true }}{{ end }}
{{- end }}
{{- if hasKey $known.elsewhere $name }}
- {{ $.key }}.settings.{{ $name }}: {{ get $known.elsewhere $name }}
{{- else if not $isRead }}
- {{ $.key }}.settings.{{ $name }}: {{ with $readers }}is a setting of the {{ join " and the " . }} alone{{ else }}no service has such a setting; other variables go into extraEnv{{ end }}.
{{- end }}
{{- end }}
{{- end }}

{{- define "zai2api.needsApi" -}}
{{- if not (.root.Capabilities.APIVersions.Has .api) }}
- {{ .what }}: the cluster does not know {{ .api }}; install {{ .from }} first. (Rendering without a cluster: add --api-versions {{ .api }}.)
{{- end }}
{{- end }}
