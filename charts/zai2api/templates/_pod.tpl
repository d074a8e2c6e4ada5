{{/* The volumes of a service's pods as a list of `{ name, mountPath, volume }`. Takes root and service. */}}
{{- define "zai2api.volumes" -}}
- name: tmp
  mountPath: /tmp
  volume: { emptyDir: { sizeLimit: 256Mi } }
{{- if eq .service.name "token-refresher" }}
{{- with include "zai2api.secret" (dict "root" .root "secret" "userTokens") | fromYaml }}
- name: user-tokens
  mountPath: {{ include "zai2api.userTokensFolder" $.root }}
  volume:
    secret:
      secretName: {{ .name }}
      defaultMode: 0440
      items: [{ key: {{ .key }}, path: tokens }]
{{- end }}
{{- end }}
{{- if and .root.Values.redis.tls.existingSecret (has .service.name (include "zai2api.redisUsers" .root | fromYamlArray)) }}
- name: redis-tls
  mountPath: {{ include "zai2api.redisTlsFolder" .root }}
  volume:
    secret:
      secretName: {{ .root.Values.redis.tls.existingSecret }}
      defaultMode: 0440
{{- end }}
{{- end }}

{{/* One probe of the admin port. Takes path and probe. */}}
{{- define "zai2api.probe" -}}
httpGet:
  path: {{ .path }}
  port: admin
{{- toYaml .probe | nindent 0 }}
{{- end }}

{{/*
Where pods spread, as a list. Default: over zones and nodes, asked for and not insisted on, where more than one pod runs. A constraint without
a selector is about the pods of the service. Takes root and service.
*/}}
{{- define "zai2api.topologySpread" -}}
{{- $constraints := .service.values.topologySpreadConstraints -}}
{{- if and (kindIs "invalid" $constraints) .service.isMany -}}
{{- $constraints = list -}}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
{{- $soft := dict "maxSkew" 1 "topologyKey" $key "whenUnsatisfiable" "ScheduleAnyway" "matchLabelKeys" (list "pod-template-hash") -}}
{{- $constraints = append $constraints $soft -}}
{{- end }}
{{- end }}
{{- range $constraint := $constraints }}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "zai2api.selectorLabels" (dict "root" $.root "component" $.service.name) | fromYaml)) }}
- {{ toYaml (merge $constraint $own) | nindent 2 | trim }}
{{- end }}
{{- end }}

{{/* Where and as whom a pod runs: what all pods of the chart have in common. Takes root and pod (values of these names). */}}
{{- define "zai2api.podPlacement" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .pod.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "priorityClassName" "dnsPolicy" }}
{{- with get $.pod $key }}
{{ $key }}: {{ . }}
{{- end }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "hostAliases" "dnsConfig" }}
{{- with get $.pod $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a user adds to the main container of a pod: the variables after the chart's own, the mounts after the chart's own. Take pod values. */}}
{{- define "zai2api.extraEnv" -}}
{{- with .extraEnv }}
{{- toYaml . }}
{{- end }}
{{- end }}
{{- define "zai2api.envFrom" -}}
{{- with .extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- define "zai2api.extraVolumeMounts" -}}
{{- with .extraVolumeMounts }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* What a user adds to a pod. Take pod values. */}}
{{- define "zai2api.initContainers" -}}
{{- with .initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- define "zai2api.extraContainers" -}}
{{- with .extraContainers }}
{{- toYaml . }}
{{- end }}
{{- end }}
{{- define "zai2api.extraVolumes" -}}
{{- with .extraVolumes }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* The pod of a service. Takes root and service. */}}
{{- define "zai2api.pod" -}}
{{- $values := .service.values -}}
{{- $volumes := include "zai2api.volumes" . | fromYamlArray -}}
metadata:
  labels:
    {{- include "zai2api.podLabels" (dict "root" .root "component" .service.name "extra" $values.podLabels) | nindent 4 }}
  annotations:
    checksum/secrets: {{ include "zai2api.givenSecrets" (dict "root" .root "component" .service.name) | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "zai2api.serviceAccountName" .service }}
  {{- include "zai2api.podPlacement" (dict "root" .root "pod" $values) | nindent 2 }}
  terminationGracePeriodSeconds: {{ .service.stop.grace }}
  {{- with include "zai2api.topologySpread" . | trim }}
  topologySpreadConstraints:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with include "zai2api.initContainers" $values | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - name: {{ .service.name }}
      image: {{ include "zai2api.image" (dict "root" .root "image" $values.image) }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      {{- with $values.command }}
      command:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.args }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        {{- include "zai2api.environment" . | trim | nindent 8 }}
      {{- with include "zai2api.envFrom" $values | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      ports:
        {{- with .service.port }}
        - { name: http, containerPort: {{ . }}, protocol: TCP }
        {{- end }}
        - { name: admin, containerPort: {{ include "zai2api.adminPort" .root }}, protocol: TCP }
      startupProbe:
        {{- include "zai2api.probe" (dict "path" "/startupz" "probe" $values.probes.startup) | nindent 8 }}
      livenessProbe:
        {{- include "zai2api.probe" (dict "path" "/livez" "probe" $values.probes.liveness) | nindent 8 }}
      readinessProbe:
        {{- include "zai2api.probe" (dict "path" "/readyz" "probe" $values.probes.readiness) | nindent 8 }}
      lifecycle:
        preStop:
          sleep: { seconds: {{ .service.stop.preStop }} }
      {{- with $values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        {{- range $volumes }}
        - { name: {{ .name }}, mountPath: {{ .mountPath }}{{ if ne .name "tmp" }}, readOnly: true{{ end }} }
        {{- end }}
        {{- with include "zai2api.extraVolumeMounts" $values }}
        {{- . | nindent 8 }}
        {{- end }}
    {{- with include "zai2api.extraContainers" $values }}
    {{- . | nindent 4 }}
    {{- end }}
  volumes:
    {{- range $volumes }}
    - name: {{ .name }}
      {{- toYaml .volume | nindent 6 }}
    {{- end }}
    {{- with include "zai2api.extraVolumes" $values }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}
