"""Every word of status.reason, once: metrics, Events, the plugin's advice and the tables of
docs/troubleshooting.md (`make crd`) are derived from this table.

A new reason is one more row. Words that are not in the table come from plugins of the cluster.
"""

from transcription_contract.reason import NORMAL, WARNING, Fault, Reason, Section, listed

NONE, USER, INSTALLATION, CLUSTER = Fault

OTHER = "Other"
"""Stands for all words that are not in the table, where only so many are allowed."""

_RUNTIME = "Read the message. Check `runtimeClassName` of the pool, and the node's GPU driver."
_RETRY = "Retry the job, and follow the log of the next attempt."

_STARTING = listed(
    Section.PENDING, "Pending Failed", None,
    ("JobMissing", INSTALLATION, "The Kubernetes Job is being created.",
     "Wait some seconds. If it lasts, read the operator's log."),
    ("WorkersStarting", NONE, "Pods are being scheduled, or pull their images.",
     "Wait. The first pull of the transcriber's image takes minutes."),
)  # fmt: skip

_WAITING = listed(
    Section.PENDING, "Queued", None,
    ("Queued", NONE, "The [limit of active jobs](operations.md#queueing) is reached; "
     "`status.queuePosition` is the job's position among those of the namespace, rounded up beyond "
     "10.", "Wait. `spec.priority` moves it before other jobs of its namespace."),
    ("AwaitingAdmission", NONE, "Kueue has not admitted the job.",
     "Read the job's Workload: `kubectl describe workloads`."),
)  # fmt: skip

_HELD = listed(
    Section.PENDING, "Suspended", NORMAL,
    ("Suspended", NONE, "`spec.suspend` is true.", "Set it to false."),
    ("JobSuspended", CLUSTER, "Something other than the operator suspended the Kubernetes Job: an "
     "administrator, a policy, or Kueue with `manageJobsWithoutQueueName`. The operator does not "
     "resume such a Job.", "Find out who set `spec.suspend` of the Job: `kubectl get job NAME -o "
     "yaml --show-managed-fields`. With Kueue, set `spec.queueName` in a new job."),
)  # fmt: skip

_RETRYING = listed(
    Section.PENDING, "Pending", NORMAL,
    ("Retrying", NONE, "The annotation asked for a new attempt.", "Wait."),
)  # fmt: skip

_NOT_STARTING = listed(
    Section.PENDING, "Pending Failed", WARNING,
    ("Unschedulable", CLUSTER, "No node fits. The message is the scheduler's.",
     "Compare the pool's node selector, tolerations and resources with the nodes. An "
     "[autoscaler](gpu-pools.md#cluster-autoscaler-karpenter) may still add one."),
    ("SchedulingGated", CLUSTER, "A scheduling gate holds the pod back.",
     "Find out which controller set the gate."),
    ("ImagePullBackOff ErrImagePull RegistryUnavailable SignatureValidationFailed", INSTALLATION,
     "The node cannot pull the transcriber's image.", "Check `transcriber.image` in the chart's "
     "values, and `imagePullSecrets`: the Secret must exist in the job's namespace."),
    ("ArchitectureMismatch", INSTALLATION, "The image is not for the node's processors (`exec "
     "format error`, `no match for platform in manifest`). The job fails when two pods ended so, "
     "unless another worker runs.", "Set `kubernetes.io/arch` in [the pool's "
     "nodeSelector](gpu-pools.md#processor-architecture), or use an image for several "
     "architectures."),
    ("ErrImageNeverPull", INSTALLATION, "The image is not on the node, and must not be pulled.",
     "Load the image onto the nodes, or change `transcriber.image.pullPolicy`."),
    ("ImageInspectError", CLUSTER, "The node's container runtime cannot read the image.",
     "Check the container runtime and the disk of the node."),
    ("InvalidImageName", INSTALLATION, "The image's name is malformed.",
     "Correct `transcriber.image`."),
    ("CreateContainerConfigError", USER, "A Secret or one of its keys is missing; the message "
     "names it. Until it is there, the pod keeps its place on the node, including GPUs.",
     "Create the [Secret](stores.md) in the job's namespace, with endpoint, accessKey and "
     "secretKey. The pod then starts without a retry."),
    ("CreateContainerError", CLUSTER, "The container runtime cannot create the container. With "
     "GPUs, a driver or runtime class is often missing.",
     _RUNTIME),
    ("RunContainerError", CLUSTER, "The container runtime cannot start the container.",
     _RUNTIME),
    ("ContainerCannotRun", CLUSTER, "The container was created and cannot run.",
     _RUNTIME),
    ("StartError", CLUSTER, "The container runtime failed while the container started.",
     _RUNTIME),
    ("QuotaExceeded", CLUSTER, "A ResourceQuota of the namespace is exhausted.",
     "Free some of the quota, raise it, or lower `spec.resources`."),
    ("PodSecurityViolation", INSTALLATION, "The namespace's Pod Security level rejects the pod.",
     "If the message names `models.cache.hostPath`, use a claim for the cache instead."),
    ("AdmissionRefused", CLUSTER, "A webhook or policy rejects the pod. The message is its own.",
     "Set the labels that it asks for in `spec.podTemplate.labels`, or change the policy."),
    ("PodRefused", CLUSTER, "The Job controller cannot create a pod. The message is the API "
     "server's.", "Read the message."),
    ("JobRefused", CLUSTER, "The API server rejects the Job: a quota on Jobs, a policy, or a "
     "webhook that denies it or does not answer. The message is its own.",
     "Remove the cause, or set the labels that it asks for in `spec.podTemplate.labels`. A "
     "change of the spec is tried at once."),
    ("ApiServerUnavailable", CLUSTER, "The API server has failed to create the Kubernetes Job for "
     "over a minute, and says nothing about the Job: it is overloaded, or without its database.",
     "Check the health of the control plane, and of its admission webhooks. The operator tries "
     "again."),
    ("NameTaken", USER, "A Job of the name that the operator would use exists, and belongs to "
     "something else.", "Delete that Job (the message has the command), or create the "
     "TranscriptionJob under another name."),
)  # fmt: skip

_NEVER_STARTED = listed(
    Section.PENDING, "Failed", WARNING,
    ("PendingDeadlineExceeded", CLUSTER, "No pod started within `spec.pendingDeadlineSeconds`, and "
     "the cause is unknown.", "Run `kubectl describe job` with the name in `status.jobName`."),
)  # fmt: skip

_TRANSCRIBING = listed(
    Section.RUNNING, "Running", None,
    ("Transcribing", NONE, "Workers are transcribing.",
     "Nothing. `kubectl get tj -o wide` shows the speed."),
)  # fmt: skip

_RESTARTING = listed(
    Section.RUNNING, "Running", WARNING,
    ("WorkerRestarting", NONE, "A worker failed, and another one is about to start. The message "
     "has the failure.", "Nothing yet."),
)  # fmt: skip

_DELIVERED = listed(
    Section.RUNNING, "Succeeded", NORMAL,
    ("Delivered", NONE, "All transcripts are delivered.", "Read `status.result`."),
)  # fmt: skip

_LATE = listed(
    Section.RUNNING, "Failed", WARNING,
    ("DeadlineExceeded", USER, "The job was active for longer than `spec.activeDeadlineSeconds`.",
     "Raise the limit, and retry the job."),
)  # fmt: skip

_RECORDING = listed(
    Section.RECORDING, "Failed", WARNING,
    ("MediaInvalid", USER, "ffmpeg cannot decode the recording, or it is empty.",
     "Play the recording, or convert it."),
    ("NoAudioStream", USER, "The file has no audio track, such as a video without sound.",
     "Check what was uploaded."),
    ("NotMedia", USER, "The object is no recording, but a text, a picture or an archive. Such "
     "objects below a prefix are skipped.", "Name a recording in `source.uri`."),
    ("LimitExceeded", USER, "The recording exceeds `spec.limits`, or the chart's `limits` if those "
     "are lower.", "Create a job with higher [limits](large-files.md#long-recordings), within "
     "those of the chart."),
    ("SourceNotFound", USER, "The object does not exist, or no object below the prefix matches "
     "`include` and `exclude`.", "Check the URI. Keys with the right ListBucket distinguish "
     "missing objects from forbidden ones."),
    ("SourceArchived", USER, "The object is in an archive storage class (Glacier, Deep Archive).",
     "[Restore it](https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html), "
     "and then retry the job."),
    ("SourceDenied", USER, "The object store refuses this object only: by its ACL, a policy or its "
     "KMS key. Other recordings of the job are transcribed.",
     "Allow the Secret's keys to read the object, and to use the KMS key."),
    ("SourceNameInvalid", USER, "The object store does not serve an object of that name (segments "
     "`.` or `..`).", "Copy the object to another name."),
    ("SourceReplaced", USER, "Another object replaced the recording while the job ran.",
     "Create a new job. Upload recordings under new names."),
    ("AllItemsFailed", USER, "None of several recordings could be transcribed.",
     "Read the first ten failures in `status.failures`."),
)  # fmt: skip

_OBJECT_STORE = listed(
    Section.OBJECT_STORE, "Failed", WARNING,
    ("AccessDenied", USER, "The object store refused the keys, or what they were used for.",
     "Check the Secret's keys and [their permissions](stores.md)."),
    ("BucketNotFound", USER, "The bucket does not exist.",
     "Check its name, and the endpoint in the Secret."),
    ("ObjectStoreUnavailable", CLUSTER, "The object store did not answer for minutes, the session "
     "token has expired, or the node's clock differs from the store's. Retried "
     "`spec.backoffLimit` times.", "Read the message. Check the store, DNS, NetworkPolicies, "
     "proxies, the endpoint, the Secret's `sessionToken` and the node's clock. Then retry the "
     "job."),
    ("OutputTaken", USER, "The output location contains the results of another job.",
     "Choose another `output.uri`, or set `output.existing` to skip or overwrite."),
)  # fmt: skip

_MODEL = listed(
    Section.MODEL, "Failed", WARNING,
    ("ModelNotFound", USER, "No official model has that name, or there is no object at "
     "`model.uri`.", "Compare with [the names](models.md)."),
    ("ModelInvalid", USER, "The checkpoint's checksum differs, or the file is no Whisper "
     "checkpoint.", "Compare `sha256sum`. The format is openai-whisper's."),
    ("ModelSourceUnavailable", INSTALLATION, "The model is not in the cache, and neither a mirror "
     "nor the internet provides it.",
     "Set up [a mirror](models.md#a-mirror-and-clusters-without-internet)."),
    ("LanguageUnknown", USER, "The model does not support `spec.language`.",
     "Use `auto`, or a multilingual model (without `.en`)."),
    ("PromptTooLong", USER, "`decoding.initialPrompt` has more than 223 tokens.", "Shorten it."),
    ("SpecUnreadable", INSTALLATION, "This version of the operator cannot read the field that the "
     "message names: the CRD is newer than the operator. Pods that run are left alone.",
     "Upgrade the operator: the job then starts or continues without a retry. Otherwise create a "
     "job without that value."),
    ("ConfigurationInvalid", USER, "The job asks for something that this installation cannot do.",
     "Change the field that the message names."),
)  # fmt: skip

_WORKER = listed(
    Section.WORKER, "Failed", WARNING,
    ("OutOfMemory", USER, "A single window does not fit into the GPU's memory.",
     "Use a smaller model or a larger GPU, and share the GPU with no other pod."),
    ("OOMKilled", INSTALLATION, "The container exceeded its memory limit.",
     "Lower `decoding.batchSize`, or raise the limit in `spec.resources` or in the pool."),
    ("Stalled", CLUSTER, "The worker finished nothing for ten minutes or more.",
     "Check the node: a GPU or disk may hang."),
    ("Interrupted", CLUSTER, "The worker was asked to stop: its pod was deleted, drained or "
     "evicted. Another pod replaces it and uses up no retry, unless the job is suspended or has "
     "ended.", "Nothing."),
    ("DecoderKilled", INSTALLATION, "ffmpeg was killed, in most cases for memory.",
     "Raise the memory limit. Check whether the recording is damaged."),
    ("VolumeFull", CLUSTER, "The node's disk or the models' volume is full.",
     "Free space on the node, or use a larger claim."),
    ("PlanChanged", NONE, "Another worker stored its plan first.",
     "Retry the job if it failed. The next attempt follows that plan."),
    ("InternalError", INSTALLATION, "A bug of the transcriber.",
     "Report it with the traceback in the worker's log."),
    ("WorkerFailed", INSTALLATION, "The container ended with an unknown exit code. 137: it was "
     "killed.",
     "Read the worker's log. Check that the image is the transcriber's."),
)  # fmt: skip

_NODE = listed(
    Section.NODE, "Failed", WARNING,
    ("Evicted", CLUSTER, "The node ran out of memory or disk. Or pods used more local storage than "
     "their limit: the job fails at the third (`status.evictedPods`).", "Read which limit the "
     "message names. Check [the space that is needed](large-files.md#disk)."),
    ("NodeLost", CLUSTER, "The node stopped answering, and the operator gave up its pod.",
     "Check the node. Retry the job if it failed."),
    ("NodeShutdown", CLUSTER, "The node was shut down.", "Retry the job if it failed."),
    ("Terminated", CLUSTER, "The node was shut down.", "Retry the job if it failed."),
    ("UnexpectedAdmissionError", CLUSTER, "The kubelet rejected the pod, such as for a GPU that "
     "the device plugin no longer has.",
     "Check the node's device plugin."),
    ("Preempting", CLUSTER, "A pod of higher priority took the place.",
     "Retry the job if it failed, or set `priorityClassName` of the pool."),
)  # fmt: skip

_JOB = listed(
    Section.JOB, "Failed", WARNING,
    ("FailedIndexes", CLUSTER, "A worker failed more often than `spec.backoffLimit` allows.",
     _RETRY),
    ("MaxFailedIndexesExceeded", CLUSTER, "Too many workers failed.", _RETRY),
    ("BackoffLimitExceeded", CLUSTER, "Workers failed too often.", _RETRY),
    ("PodFailurePolicy", CLUSTER, "A worker ended with an exit code that no retry can change.",
     _RETRY),
    ("JobFailed", CLUSTER, "The Job failed, and states no cause.", _RETRY),
)  # fmt: skip

TABLE: tuple[Reason, ...] = (
    *_STARTING, *_RETRYING, *_WAITING, *_HELD, *_NOT_STARTING, *_NEVER_STARTED,
    *_TRANSCRIBING, *_RESTARTING, *_DELIVERED, *_LATE,
    *_RECORDING, *_OBJECT_STORE, *_MODEL, *_WORKER, *_NODE, *_JOB,
)  # fmt: skip

REASONS: dict[str, Reason] = {reason.word: reason for reason in TABLE}

_CANONICAL = {alias: reason.word for reason in TABLE for alias in reason.aliases}


def canonical(word: str) -> str:
    """The word that stands for an alias; every other word is its own."""
    return _CANONICAL.get(word, word)


def of_phase(phase: str) -> tuple[Reason, ...]:
    """The reasons that appear with a phase."""
    return tuple(reason for reason in TABLE if phase in reason.phases)


def is_problem(word: str) -> bool:
    """Whether somebody should look at a job with this reason; so for unknown words."""
    reason = REASONS.get(canonical(word))
    return reason is None or reason.event == WARNING


def fault_of(word: str) -> Fault:
    """Who can fix the cause. Unknown words come from plugins of the cluster."""
    reason = REASONS.get(canonical(word))
    return reason.fault if reason else CLUSTER
