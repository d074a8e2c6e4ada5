{{/* Takes root and service. */}}
{{- define "zai2api.horizontalPodAutoscaler" -}}
{{- $scaling := .service.values.autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .service.fullname }}
  labels:
    {{- include "zai2api.labels" (dict "root" .root "component" .service.name) | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .service.fullname }}
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics:
    {{- range $name, $percent := dict "cpu" $scaling.targetCPUUtilizationPercentage "memory" $scaling.targetMemoryUtilizationPercentage }}
    {{- with $percent }}
    - type: Resource
      resource:
        name: {{ $name }}
        target: { type: Utilization, averageUtilization: {{ . }} }
    {{- end }}
    {{- end }}
    {{- range $name, $average := $scaling.perPodMetrics }}
    - type: Pods
      pods:
        metric: { name: {{ $name }} }
        target: { type: AverageValue, averageValue: {{ include "zai2api.text" $average | quote }} }
    {{- end }}
    {{- with $scaling.extraMetrics }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  behavior:
    {{- toYaml $scaling.behavior | nindent 4 }}
{{- end }}

{{/* Takes root and service. */}}
{{- define "zai2api.scaledObject" -}}
{{- $keda := .service.values.keda -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ .service.fullname }}
  labels:
    {{- include "zai2api.labels" (dict "root" .root "component" .service.name) | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .service.fullname }}
  minReplicaCount: {{ $keda.minReplicas }}
  maxReplicaCount: {{ $keda.maxReplicas }}
  pollingInterval: {{ $keda.pollingInterval }}
  cooldownPeriod: {{ $keda.cooldownPeriod }}
  {{- with $keda.fallback }}
  fallback:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- toYaml .service.values.autoscaling.behavior | nindent 8 }}
  triggers:
    {{- if $keda.triggers }}
    {{- toYaml $keda.triggers | nindent 4 }}
    {{- else }}
    - type: prometheus
      metadata:
        serverAddress: {{ $keda.prometheusAddress }}
        query: {{ printf `sum(%s{namespace="%s",pod=~"%s-.+"}) or vector(0)` .service.inflight .root.Release.Namespace .service.fullname | quote }}
        threshold: {{ include "zai2api.text" $keda.threshold | quote }}
    {{- end }}
{{- end }}
