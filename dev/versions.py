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

DEBIAN_SUITE = "trixie"
"""The release that the images are built on."""
