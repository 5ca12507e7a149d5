"""`python3 -m dev VERB`: what every target of the Makefile calls."""

import argparse
import os
import sys
import time
from collections.abc import Callable

from dev import (
    bench,
    checks,
    cluster,
    dashboard,
    demo,
    down,
    gotools,
    realmodels,
    release,
    remote,
    site,
    store,
    venv,
)
from dev.errors import DevError
from dev.lock import alone
from dev.paths import BIN, CACHE, KUBECONFIG
from dev.say import say, step


def cluster_up() -> None:
    """Start the cluster, or bring the operator in a running one up to date."""
    started = time.monotonic()
    cluster.up()
    say(f"The cluster is up: {time.monotonic() - started:.0f} s.")
    cluster.describe()


def cluster_down() -> None:
    """Stop the cluster and remove every trace but the cache."""
    with alone(), step("taking the cluster down"):
        down.take_down()
    say("Nothing is left of it: no process, mount, network namespace, link or control group.")


def clean_cache() -> None:
    """Stop the cluster and delete the cache as well."""
    with alone(), step(f"taking the cluster down and deleting {CACHE}"):
        down.clean_cache()


def run_demo() -> None:
    """Transcribe a recording on the cluster that CLUSTER chooses."""
    chosen = os.environ.get("CLUSTER") or "local"
    if chosen not in DEMOS:
        known = "local (the default) or current (the cluster of your kubectl context)"
        raise DevError(f"CLUSTER is {known}, and not {chosen}.")
    DEMOS[chosen]()


def demonstrate() -> None:
    """Transcribe a recording on the local cluster."""
    started = time.monotonic()
    kubectl = cluster.up()
    chosen = demo.run(kubectl, store.client())
    say(f"All of it took {time.monotonic() - started:.0f} s.")
    demo.say_how_to_go_on(chosen)


def kubeconfig() -> None:
    """Print the path of the cluster's kubeconfig."""
    print(_of_running_cluster(str(KUBECONFIG)))


def s3_env() -> None:
    """Print the store's address and keys as assignments."""
    for name, value in store.environment().items():
        print(_of_running_cluster(f"{name}={value}"))


def tools() -> None:
    """Print the folder of kubectl, helm and kwok."""
    gotools.build_all()
    print(BIN)


DEMOS = {"local": demonstrate, "current": remote.demonstrate}

VERBS: dict[str, Callable[[], None]] = {
    "cluster-up": cluster_up,
    "cluster-down": cluster_down,
    "clean-cache": clean_cache,
    "demo": run_demo,
    "kubeconfig": kubeconfig,
    "s3-env": s3_env,
    "tools": tools,
    "venv": lambda: print(venv.ensure()),
    "lock": venv.lock,
    "real-models": realmodels.show,
    "verify": checks.verify,
    "crd": checks.generate,
    "dashboard": dashboard.write,
    "test-unit": lambda: checks.test("unit"),
    "test-contract": lambda: checks.test("contract"),
    "test-integration": lambda: checks.test("integration"),
    "test-e2e": lambda: checks.test("e2e"),
    "test": checks.everything,
    "chaos": checks.chaos,
    "bench": bench.run,
    "docs": site.build,
    "release": release.run_release,
}


def _of_running_cluster(text: str) -> str:
    if not KUBECONFIG.exists():
        raise DevError("The cluster is not running: `make cluster-up` starts it.")
    return text


def main() -> int:
    """Run a verb; exit 1 with a sentence when it cannot be done."""
    parser = argparse.ArgumentParser(prog="python3 -m dev", description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    verb = parser.parse_args().verb
    try:
        VERBS[verb]()
    except DevError as error:
        say(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. What was half made is made anew the next time.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
