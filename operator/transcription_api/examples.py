"""Manifests that state every field of the spec, for the reference. A test says that none is left
out, and that the API server takes them."""

EVERY_FIELD = """\
# yaml-language-server: $schema=docs/schema/transcriptionjob.schema.json
apiVersion: transcription.dev/v1alpha1
kind: TranscriptionJob
metadata: {name: every-field, namespace: media}
spec:
  source:
    uri: s3://recordings/calls/
    include: ["*.mp3", "2026/*"]
    exclude: ["drafts/*"]
    audio: {track: auto, channels: separate}
  output:
    uri: s3://transcripts/calls/
    formats: [json, srt, vtt, txt, tsv]
    subtitles: {maxLineWidth: 42, maxLineCount: 2, highlightWords: false}
    existing: skip
    overwrite: false
  objectStore:
    secretName: transcription-object-store
  model:
    name: large-v3
  language: en
  task: transcribe
  decoding:
    mode: batched
    batchSize: 32
    beamSize: 5
    initialPrompt: "A meeting of the platform team."
    hotwords: [Kubernetes, kopf, "Sankt Gallen"]
    suspectText: keep
    languagePer: recording
    temperature: ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    compressionRatioThreshold: "2.4"
    logprobThreshold: "-1.0"
    noSpeechThreshold: "0.6"
    vad:
      enabled: true
      threshold: "0.5"
      minSpeechMilliseconds: 250
      minSilenceMilliseconds: 100
      paddingMilliseconds: 200
    windowSeconds: 30
    timestamps: alignment
    wordTimestamps: true
    audioContext: full
  operatorClassName: research
  workers: 4
  nodePool: gpu
  resources:
    requests: {cpu: 4, memory: 12Gi}
    limits: {memory: 24Gi, nvidia.com/gpu: 1}
  podTemplate:
    labels: {cost-center: media}
    annotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: "false"}
    serviceAccountName: transcriber
    nodeSelector: {topology.kubernetes.io/zone: eu-central-1a}
    tolerations:
      - {key: spot, operator: Equal, value: "true", effect: NoExecute, tolerationSeconds: 60}
    affinity:
      nodeAffinity:
        preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 50
            preference:
              matchExpressions:
                - {key: gpu-memory, operator: In, values: [40g, 80g]}
      podAntiAffinity:
        preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            podAffinityTerm:
              labelSelector:
                matchLabels: {cost-center: media}
              topologyKey: kubernetes.io/hostname
    priorityClassName: batch
    imagePullSecrets: [registry]
    env:
      - {name: OMP_NUM_THREADS, value: "4"}
    runtimeClassName: nvidia
    schedulerName: default-scheduler
  queueName: media
  priority: 10
  suspend: false
  backoffLimit: 3
  pendingDeadlineSeconds: 3600
  activeDeadlineSeconds: 86400
  ttlSecondsAfterFinished: 604800
  failurePolicy: Continue
  limits: {maxFileBytes: 4Gi, maxFileSeconds: 86400}
"""

THE_OTHERS = """\
apiVersion: transcription.dev/v1alpha1
kind: TranscriptionJob
metadata: {name: the-others, namespace: media}
spec:
  source: {uri: https://media.example.com/standup.mp3}
  output: {uri: s3://transcripts/standup/}
  objectStore:
    endpoint: https://s3.eu-central-1.amazonaws.com
    region: eu-central-1
  model:
    uri: s3://models/mine.pt
    sha256: 3ddf22ba254f5d90fea80ad892f7ba49058f06feeef8f532d57c88f6a4ac37d5
"""
"""Fields that do not go together with those of EVERY_FIELD."""
