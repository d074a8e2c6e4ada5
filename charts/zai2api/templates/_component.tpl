{{/* All objects of one service but its network policy and its monitoring. Takes root and service. */}}
{{- define "zai2api.component" -}}
{{- $values := .service.values -}}
{{- $fullname := .service.fullname -}}
{{- $labels := include "zai2api.labels" (dict "root" .root "component" .service.name) -}}
{{- $selector := include "zai2api.selectorLabels" (dict "root" .root "component" .service.name) -}}
{{- if $values.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "zai2api.serviceAccountName" .service }}
  labels:
    {{- $labels | nindent 4 }}
  {{- with $values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $fullname }}
  labels:
    {{- $labels | nindent 4 }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if not .service.isScaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  minReadySeconds: {{ $values.minReadySeconds }}
  revisionHistoryLimit: {{ $values.revisionHistoryLimit }}
  strategy:
    {{- /* The API refuses the one with the other. */}}
    {{- toYaml (ternary (omit $values.strategy "rollingUpdate") $values.strategy (eq $values.strategy.type "Recreate")) | nindent 4 }}
  selector:
    matchLabels:
      {{- $selector | nindent 6 }}
  template:
    {{- include "zai2api.pod" . | nindent 4 }}
{{- if $values.service.port }}
---
{{ include "zai2api.kubernetesService" . }}
{{- end }}
{{- if $values.autoscaling.enabled }}
---
{{ include "zai2api.horizontalPodAutoscaler" . }}
{{- end }}
{{- if $values.keda.enabled }}
---
{{ include "zai2api.scaledObject" . }}
{{- end }}
{{- if and .service.isMany $values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $fullname }}
  labels:
    {{- $labels | nindent 4 }}
spec:
  {{- if kindIs "invalid" $values.podDisruptionBudget.minAvailable }}
  maxUnavailable: {{ $values.podDisruptionBudget.maxUnavailable }}
  {{- else }}
  minAvailable: {{ $values.podDisruptionBudget.minAvailable }}
  {{- end }}
  # A pod that is not ready helps nobody: it may always be evicted.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- $selector | nindent 6 }}
{{- end }}
{{- end }}

{{/* Takes root and service. */}}
{{- define "zai2api.kubernetesService" -}}
{{- $service := .service.values.service -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .service.fullname }}
  labels:
    {{- include "zai2api.labels" (dict "root" .root "component" .service.name "extra" $service.labels) | nindent 4 }}
  {{- with $service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $service.type }}
  {{- range $key := list "loadBalancerClass" "externalTrafficPolicy" "trafficDistribution" "ipFamilyPolicy" }}
  {{- with get $service $key }}
  {{ $key }}: {{ . }}
  {{- end }}
  {{- end }}
  {{- range $key := list "ipFamilies" "loadBalancerSourceRanges" }}
  {{- with get $service $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  ports:
    - name: http
      port: {{ $service.port }}
      targetPort: http
      protocol: TCP
      appProtocol: http
      {{- with $service.nodePort }}
      nodePort: {{ . }}
      {{- end }}
  selector:
    {{- include "zai2api.selectorLabels" (dict "root" .root "component" .service.name) | nindent 4 }}
{{- end }}
