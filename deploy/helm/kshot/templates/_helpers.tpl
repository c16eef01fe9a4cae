{{- define "kshot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kshot.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "kshot.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "kshot.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Of all pods of the release. */}}
{{- define "kshot.releaseLabels" -}}
app.kubernetes.io/name: {{ include "kshot.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of the pods of a component, `server` or `worker`. Takes a dict of `root` and `component`. */}}
{{- define "kshot.selectorLabels" -}}
{{ include "kshot.releaseLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "kshot.serverLabels" -}}
{{ include "kshot.selectorLabels" (dict "root" . "component" "server") }}
{{- end }}

{{- define "kshot.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "kshot.releaseLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Whether replicas share a database; without it there is one, with a volume. */}}
{{- define "kshot.isShared" -}}
{{- if or .Values.store.existingSecret .Values.store.url }}true{{ end }}
{{- end }}

{{- define "kshot.hasSeveral" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) }}true{{ end }}
{{- end }}

{{/* Whether there are keys besides those in the store. */}}
{{- define "kshot.hasAuthSecret" -}}
{{- if or .Values.auth.existingSecret .Values.auth.apiKeys }}true{{ end }}
{{- end }}

{{- define "kshot.authSecret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-keys" (include "kshot.fullname" .)) }}
{{- end }}

{{- define "kshot.storeSecret" -}}
{{- .Values.store.existingSecret | default (printf "%s-store" (include "kshot.fullname" .)) }}
{{- end }}

{{/* What no schema can say. */}}
{{- define "kshot.check" -}}
{{- with .Values.auth }}
{{- if not (or .insecureNoAuth .existingSecret .apiKeys .keysInStore) }}
{{- fail "set auth.existingSecret (or auth.apiKeys, auth.keysInStore, or auth.insecureNoAuth on a network that you trust): kshot listens beyond its pod only with keys" }}
{{- end }}
{{- if and .keysInStore (not (include "kshot.isShared" $)) }}
{{- fail "auth.keysInStore needs a store that keys can be made in before the first start: set store.existingSecret, or auth.existingSecret in its place" }}
{{- end }}
{{- if and .insecureNoAuth (or .existingSecret .apiKeys .readOnlyApiKeys .keysInStore) }}
{{- fail "auth.insecureNoAuth contradicts the keys that are set: leave out one or the other" }}
{{- end }}
{{- end }}
{{- if .Values.serviceMonitor.enabled }}
{{- if and .Values.auth.apiKeys (not .Values.auth.readOnlyApiKeys) }}
{{- fail "serviceMonitor.enabled needs auth.readOnlyApiKeys, whose first key Prometheus is given" }}
{{- end }}
{{- if and .Values.auth.keysInStore (not .Values.auth.existingSecret) }}
{{- fail "serviceMonitor.enabled needs auth.existingSecret with metrics-key, the key that Prometheus is given; keys of the store are in no secret" }}
{{- end }}
{{- end }}
{{- if and (include "kshot.hasSeveral" .) (not (include "kshot.isShared" .)) }}
{{- fail "several replicas need a store that they can share: set store.existingSecret, or replicaCount: 1 and autoscaling.enabled: false" }}
{{- end }}
{{- if and (gt (int .Values.worker.replicas) 0) (not (include "kshot.isShared" .)) }}
{{- fail "workers need a store that they share with the servers: set store.existingSecret, or worker.replicas: 0" }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The server's own time-out for requests, the wait before it, and time to write snapshots of large indexes. */}}
{{- define "kshot.graceSeconds" -}}
{{- add .Values.preStopSeconds (div (int (.Values.settings.shutdownTimeoutMs | default 10000)) 1000) 30 }}
{{- end }}
