{{/* What works, and is better not left so, as a list of sentences. Takes the root. */}}
{{- define "zai2api.warnings" -}}
{{- $values := .Values -}}
{{- $gateway := include "zai2api.service" (dict "root" . "component" "gateway") | fromYaml -}}
{{- $refresher := include "zai2api.service" (dict "root" . "component" "token-refresher") | fromYaml -}}
{{- $translator := include "zai2api.service" (dict "root" . "component" "chat-translator") | fromYaml -}}
{{- $isPublic := or $values.ingress.enabled $values.httpRoute.enabled (ne $gateway.values.service.type "ClusterIP") -}}
{{- if not $values.auth.enabled }}
- {{ printf "no API key is asked for: everybody who reaches %s may use it." (ternary "this address, from outside of the cluster too," "the gateway" $isPublic) | quote }}
{{- end }}
{{- range $values.secrets.apiKeys.values }}
{{- if lt (len (last (splitList " " .))) 20 }}
- an API key in secrets.apiKeys has fewer than 20 characters and can be guessed.
{{- end }}
{{- end }}
{{- if and $values.ingress.enabled (not $values.ingress.tls) }}
- the Ingress has no TLS of its own, so keys may travel in the open.
{{- end }}
{{- if $values.redis.bundled.enabled }}
- the bundled Redis is a single pod for a first try. Production wants one of its own, with redis.bundled.enabled=false.
{{- else if and (include "zai2api.redisMode" .) (not $values.redis.tls.enabled) (not (hasPrefix "rediss://" $values.secrets.redisUrl.value)) (not $values.secrets.redisUrl.existingSecret) }}
- tokens travel to Redis in the open. Use rediss:// or redis.tls.enabled=true.
{{- end }}
{{- if not $values.networkPolicy.enabled }}
- "there are no network policies: the pods may be called, and may call, whatever they reach."
{{- end }}
{{- if $values.networkPolicy.enabled }}
{{- range $service := list $gateway $translator $refresher }}
{{- if and $service.values.enabled (not $service.values.networkPolicy.extraEgress) }}
{{- $elsewhere := list }}
{{- if eq $service.name "gateway" }}
{{- $isOther := or (not $translator.values.enabled) (include "zai2api.plainVariable" (dict "service" $service "name" "ZAI_TRANSLATOR_URL")) }}
{{- if $isOther }}{{ $elsewhere = append $elsewhere "the translators of ZAI_TRANSLATOR_URL" }}{{ end }}
{{- else }}
{{- range include "zai2api.upstreamAddresses" (dict "root" $ "service" $service) | fromJsonArray }}
{{- if and (ne . "http://media") (include "zai2api.isPrivate" .) }}{{ $elsewhere = append $elsewhere (printf "%s, which is no public address" .) }}{{ end }}
{{- end }}
{{- end }}
{{- range $elsewhere }}
- {{ printf "the network policy of the %s blocks calls to %s: allow them in %s.networkPolicy.extraEgress." $service.name . $service.key | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $translator.values.enabled (not $gateway.values.enabled) (not $translator.values.networkPolicy.extraIngress) }}
- "the network policy of the chat-translator lets nobody call it, for this release has no gateway: name those who may in chatTranslator.networkPolicy.extraIngress."
{{- end }}
{{- end }}
{{- if and $gateway.values.enabled $translator.values.enabled (gt (int $gateway.values.streamSeconds) (int $translator.values.streamSeconds)) }}
- {{ printf "chatTranslator.streamSeconds is less than gateway.streamSeconds: a stop of a translator cuts answers after %d s." (int $translator.values.streamSeconds) | quote }}
{{- end }}
{{- if and $translator.values.enabled $values.guests.enabled (not $refresher.values.enabled) (include "zai2api.redisMode" .) }}
- guest tokens are enabled, but without the token-refresher there are none.
{{- end }}
{{- if or $values.secrets.apiKeys.values $values.secrets.userTokens.values $values.secrets.platformKeys.values $values.secrets.signingSecret.value $values.secrets.sealSecret.value $values.secrets.redisUrl.value $values.secrets.redisPassword.value $values.secrets.redisSentinelPassword.value $values.secrets.otlpHeaders.value }}
- secrets were given as values, which Helm keeps in the release. Prefer existingSecret.
{{- end }}
{{- end }}
