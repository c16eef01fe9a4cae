{{/* The pods of a component, `server` or `worker`. Takes a dict of `root`, `component` and `resources`. */}}
{{- define "kshot.pod" -}}
{{- $root := .root }}
{{- $component := .component }}
{{- $shared := include "kshot.isShared" $root }}
metadata:
  labels:
    {{- include "kshot.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $component }}
    {{- with $root.Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # New keys are read at a start: a change of them is a new rollout.
    checksum/secrets: {{ include (print $root.Template.BasePath "/secrets.yaml") $root | sha256sum }}
    {{- with $root.Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "kshot.fullname" $root }}
  automountServiceAccountToken: false
  # Kubernetes would set KSHOT_PORT for a service of that name.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "kshot.graceSeconds" $root }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  containers:
    - name: kshot
      image: {{ printf "%s:%s" $root.Values.image.repository ($root.Values.image.tag | default $root.Chart.AppVersion) | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      {{- if eq $component "worker" }}
      args: [worker]
      {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      ports:
        - { name: http, containerPort: 8080 }
      env:
        - { name: KSHOT_HOST, value: 0.0.0.0 }
        - { name: KSHOT_PORT, value: '8080' }
        - { name: KSHOT_DATA_DIR, value: /data }
        - { name: KSHOT_MODEL_CACHE, value: /data/cache }
        {{- range $name, $given := $root.Values.settings }}
        {{- /* Numbers of a values file are floats here, which would print as 1e+06. */}}
        {{- $value := kindIs "float64" $given | ternary ($given | toString | float64 | int64) $given }}
        - { name: {{ printf "KSHOT_%s" (snakecase $name | upper) }}, value: {{ $value | toString | quote }} }
        {{- end }}
        {{- if $root.Values.auth.insecureNoAuth }}
        - { name: KSHOT_INSECURE_NO_AUTH, value: 'true' }
        {{- else if include "kshot.hasAuthSecret" $root }}
        - name: KSHOT_API_KEYS
          valueFrom: { secretKeyRef: { name: {{ include "kshot.authSecret" $root }}, key: api-keys, optional: {{ $root.Values.auth.keysInStore }} } }
        - name: KSHOT_READ_ONLY_API_KEYS
          valueFrom: { secretKeyRef: { name: {{ include "kshot.authSecret" $root }}, key: read-only-api-keys, optional: true } }
        {{- end }}
        {{- if $shared }}
        - name: KSHOT_STORE
          valueFrom: { secretKeyRef: { name: {{ include "kshot.storeSecret" $root }}, key: url } }
        {{- end }}
        {{- if and (eq $component "server") (gt (int $root.Values.worker.replicas) 0) (not (hasKey $root.Values.settings "runJobs")) }}
        - { name: KSHOT_RUN_JOBS, value: 'false' }
        {{- end }}
        {{- with $root.Values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      # It listens from the first moment, before the store is read: alive at once, ready when it can answer.
      startupProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 2
        failureThreshold: 30
      livenessProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: { path: /readyz, port: http }
        periodSeconds: 3
        timeoutSeconds: 3
        failureThreshold: 2
      lifecycle:
        preStop:
          exec: { command: [sleep, {{ $root.Values.preStopSeconds | quote }}] }
      resources: {{- toYaml .resources | nindent 8 }}
      volumeMounts:
        - { name: data, mountPath: /data }
        - { name: tmp, mountPath: /tmp }
        {{- with $root.Values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - name: data
      {{- if $shared }}
      emptyDir: {}
      {{- else }}
      persistentVolumeClaim:
        claimName: {{ $root.Values.persistence.existingClaim | default (include "kshot.fullname" $root) }}
      {{- end }}
    - name: tmp
      emptyDir: {}
    {{- with $root.Values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- with $root.Values.topologySpreadConstraints }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "kshot.selectorLabels" (dict "root" $root "component" $component) | nindent 10 }}
    {{- end }}
    {{- end }}
{{- end }}
