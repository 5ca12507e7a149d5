"""Every version that dev/ pins. Go modules of the cluster itself: go/go.mod."""

KUBERNETES = "v1.35.4"
"""The last minor release that takes the containerd 1.6 of Debian 12. Also in go/go.mod."""

UV = "0.13.9"

GO_PROGRAMS = {
    "helm": "helm.sh/helm/v3/cmd/helm@v3.21.4",
    "versitygw": "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok@v0.8.0",
}
"""Programs that are built as they are, by `go install`."""

GO_PROGRAMS_FOR_TESTS = {
    "kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router@v2.1.0"
}
"""What only a test runs."""

GO_CRDS = {
    "github.com/argoproj/argo-cd/v3@v3.5.7": ("manifests/crds/application-crd.yaml",),
    "github.com/fluxcd/helm-controller@v1.4.0": (
        "config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml",
    ),
    "github.com/fluxcd/kustomize-controller@v1.9.6": (
        "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    ),
    "github.com/fluxcd/source-controller@v1.9.6": (
        "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml",
    ),
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": tuple(
        f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml"
        for kind in ("podmonitors", "prometheusrules", "servicemonitors")
    ),
}
"""Files of Go modules whose code is not used."""

DEBIAN_SUITE = "trixie"
"""The release that the images are built on."""
