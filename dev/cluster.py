"""The local cluster as a whole: two nodes, a registry, an S3 store and the operator."""

from dataclasses import dataclass

from dev import (
    gotools,
    images,
    network,
    operator_release,
    packages,
    paths,
    preflight,
    registry,
    store,
)
from dev.controlplane import ControlPlane
from dev.down import take_down
from dev.kubectl import Kubectl
from dev.lock import alone
from dev.node import Node
from dev.paths import BIN, KUBECONFIG, STATE
from dev.processes import Processes
from dev.say import say, step

CONTROL_PLANE = ControlPlane(paths.CONTROL_PLANE, address=network.HOST, with_scheduler=True)
CPU_NODE = Node(1, pool="cpu")
GPU_NODE = Node(2, pool="gpu", gpus=4)
NODES = (CPU_NODE, GPU_NODE)


@dataclass(frozen=True)
class Images:
    """What the cluster runs."""

    pause: images.Image
    coredns: images.Image
    store: images.Image
    operator: images.Image
    transcriber: images.Image


def up() -> Kubectl:
    """Make sure that the cluster runs, with this checkout's operator; return the way into it."""
    with alone():
        return _up()


def _up() -> Kubectl:
    preflight.check()
    packages.install()
    gotools.build_all()
    healthy = is_healthy()
    if not healthy:
        _begin_afresh()
    built = _ensure_images()
    if not healthy:
        _start(built)
    kubectl = CONTROL_PLANE.kubectl
    GPU_NODE.advertise_gpus(CONTROL_PLANE)
    _install(kubectl, built)
    return kubectl


def is_healthy() -> bool:
    """Whether everything that `up` starts is running and says that it is well."""
    processes = Processes(STATE)
    names = ["registry", *(name for node in NODES for name in node.process_names)]
    return (
        all(processes.is_alive(name) for name in names)
        and network.is_there([node.place for node in NODES])
        and CONTROL_PLANE.is_healthy()
        and all(node.is_ready(CONTROL_PLANE) for node in NODES)
    )


def _begin_afresh() -> None:
    """Half a cluster is not repaired: a new one takes seconds, and has no past."""
    if STATE.exists():
        with step("removing what is left of an earlier cluster"):
            take_down()
    else:
        take_down()
    with step("making the bridge and the nodes' network namespaces"):
        network.create([node.place for node in NODES])
    registry.start()


def _ensure_images() -> Images:
    return Images(
        pause=images.ensure_program("pause"),
        coredns=images.ensure_program("coredns"),
        store=images.ensure_program("versitygw"),
        operator=images.ensure(images.OPERATOR),
        transcriber=images.ensure(images.TRANSCRIBER),
    )


def _start(built: Images) -> None:
    with step("starting etcd, the API server, the controllers and the scheduler"):
        CONTROL_PLANE.start()
    with step("starting containerd on both nodes"):
        for node in NODES:
            node.start_containerd(str(built.pause))
    with step("starting the kubelets, and waiting until both nodes are ready"):
        for node in NODES:
            node.start_kubelet(CONTROL_PLANE)
        for node in NODES:
            node.wait_until_ready(CONTROL_PLANE)


def _install(kubectl: Kubectl, built: Images) -> None:
    with step("cluster DNS and the S3 store"):
        kubectl.apply("coredns.yaml", {"IMAGE": str(built.coredns)})
        store.install(kubectl, built.store)
        kubectl.rollout("kube-system", "coredns")
    operator_release.install(
        kubectl,
        operator=(built.operator.repository, built.operator.tag),
        transcriber=(built.transcriber.repository, built.transcriber.tag),
    )
    _pull_transcriber(kubectl, built.transcriber)


def _pull_transcriber(kubectl: Kubectl, image: images.Image) -> None:
    """Bring the workers' image to the GPU node before a job waits for it."""
    if str(image) in GPU_NODE.ctr("images", "list", "--quiet").split():
        return
    with step("pulling the transcriber image to the GPU node", "90 s the first time"):
        name = f"pull-{image.tag}"
        kubectl.apply("pull.yaml", {"NAME": name, "IMAGE": str(image), "NODE": GPU_NODE.name})
        succeeded = "--for=jsonpath={.status.phase}=Succeeded"
        kubectl(
            *("wait", succeeded, f"pod/{name}", "-n", "kube-system", "--timeout=600s"), timeout=620
        )
        kubectl("delete", "pod", name, "-n", "kube-system", "--wait=false")
        GPU_NODE.forget_images(image.repository, but=str(image))


def describe() -> None:
    """Say how to use the running cluster."""
    say()
    say("The cluster runs. To use it:")
    say(f"  export KUBECONFIG={KUBECONFIG}        # make -s kubeconfig")
    say(f"  export PATH={BIN}:$PATH       # make -s tools: kubectl, helm, kwok")
    say("  make demo                             # transcribe a recording")
    say("  make cluster-down                     # leaves nothing behind but the cache")
