{{/*
What this installation is called. 38 characters leave room for the longest suffix, "-chat-translator-metrics", within the 63 of a DNS label.
*/}}
{{- define "zai2api.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $chart := .Values.nameOverride | default .Chart.Name -}}
{{- $name = ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- end -}}
{{- $name | trunc 38 | trimSuffix "-" -}}
{{- end }}

{{- define "zai2api.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/*
Labels that never change in the life of a release: the selectors. Takes root and component.
*/}}
{{- define "zai2api.selectorLabels" -}}
app.kubernetes.io/name: {{ include "zai2api.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/*
Labels of pods: those that a new version of the chart leaves as they are, so that it restarts nothing by itself. Takes root, component and,
where there are labels for these pods alone, extra.
*/}}
{{- define "zai2api.podLabels" -}}
{{ include "zai2api.selectorLabels" . }}
{{ include "zai2api.ownLabels" . }}
{{- end }}

{{/*
The labels of the user, each once, the nearer one first, and what the whole is part of, which is theirs to say. Takes root, component, extra.
*/}}
{{- define "zai2api.ownLabels" -}}
{{- $partOf := dict "app.kubernetes.io/part-of" (include "zai2api.name" .root) -}}
{{- toYaml (merge dict (.extra | default dict) .root.Values.commonLabels $partOf) -}}
{{- end }}

{{/*
Labels of every object. Takes root, component and, where there are labels for it alone, extra.
*/}}
{{- define "zai2api.labels" -}}
{{ include "zai2api.selectorLabels" . }}
{{ include "zai2api.ownLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
An image reference. Takes root and image (registry, repository, tag, digest). A digest goes before a tag.
*/}}
{{- define "zai2api.image" -}}
{{- $registry := .root.Values.global.imageRegistry | default .image.registry -}}
{{- $name := ternary (printf "%s/%s" $registry .image.repository) .image.repository (ne $registry "") -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/*
Number and boolean values as the text of an environment variable: 33554432 and not 3.3554432e+07, which is how Helm prints large numbers.
*/}}
{{- define "zai2api.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end }}
