{{/* Names and labels, and what more than one template needs to know. */}}

{{- define "flashsale.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* Room is left for suffixes such as -kafka. */}}
{{- define "flashsale.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" }}
{{- else }}
{{- $name := include "flashsale.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* Which pods are the operator's. Never changes: a Deployment's selector cannot. */}}
{{- define "flashsale.selector" -}}
app.kubernetes.io/name: flashsale-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "flashsale.kafkaSelector" -}}
app.kubernetes.io/name: kafka
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: kafka
{{- end }}

{{- define "flashsale.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: flashsale
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "flashsale.labels" -}}
{{ include "flashsale.selector" . }}
{{ include "flashsale.commonLabels" . }}
{{- end }}

{{- define "flashsale.kafkaLabels" -}}
{{ include "flashsale.kafkaSelector" . }}
{{ include "flashsale.commonLabels" . }}
{{- end }}

{{- define "flashsale.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "flashsale.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "flashsale.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "flashsale.kafkaName" -}}
{{- printf "%s-kafka" (include "flashsale.fullname" .) }}
{{- end }}

{{/* Where clients of any namespace reach the evaluation Kafka. */}}
{{- define "flashsale.kafkaAddress" -}}
{{- printf "%s.%s.svc:9092" (include "flashsale.kafkaName" .) .Release.Namespace }}
{{- end }}

{{/* The restricted Pod Security Standard, for a container. */}}
{{- define "flashsale.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
