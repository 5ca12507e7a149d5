"""Container images: built by buildah, named by what is in them, pushed once to the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dev import baseimage, buildah, files, registry
from dev.paths import BIN, CACHE, ROOT
from dev.say import step

REPOSITORY = "transcription-operator"


@dataclass(frozen=True)
class Image:
    """An image of ours; the tag is a digest of all that goes into it."""

    name: str
    tag: str

    @property
    def repository(self) -> str:
        """Its name without the tag, as manifests have it."""
        return f"{registry.NAME}/{REPOSITORY}/{self.name}"

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"

    def is_pushed(self) -> bool:
        """Whether the registry has it."""
        return registry.has(f"{REPOSITORY}/{self.name}", self.tag)

    def push(self) -> None:
        """Push it from buildah's store; layers that the registry has do not travel again."""
        target = f"docker://{registry.ADDRESS}/{REPOSITORY}/{self.name}:{self.tag}"
        buildah.call("push", "--quiet", "--tls-verify=false", str(self), target)


@dataclass(frozen=True)
class Recipe:
    """A Dockerfile of the project and what it copies."""

    name: str
    inputs: Sequence[str]
    expect: str

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile."""
        return ROOT / f"Dockerfile.{self.name}"

    def image(self) -> Image:
        """The image that this checkout would build."""
        inputs = [self.dockerfile, *(ROOT / path for path in self.inputs)]
        return Image(self.name, files.digest(baseimage.KEY, files.digest_of_files(inputs, ROOT)))


OPERATOR = Recipe(
    "operator",
    (
        "requirements/operator.txt",
        "transcriber/transcription_contract",
        "operator/transcription_api",
        "operator/transcription_kube",
        "operator/transcription_operator",
    ),
    "1 min",
)
TRANSCRIBER = Recipe(
    "transcriber",
    (
        "requirements/transcriber.txt",
        "transcriber/transcription_contract",
        "transcriber/whisper_transcriber",
    ),
    "5 to 7 min with PyTorch, seconds after a change of code",
)


def ensure(recipe: Recipe) -> Image:
    """Build and push a Dockerfile's image, unless the registry has it."""
    image = recipe.image()
    if image.is_pushed():
        return image
    build(recipe, str(image))
    with step(f"pushing the {recipe.name} image"):
        image.push()
    buildah.forget_others(image.repository, image.tag)
    return image


def build(recipe: Recipe, tag: str, *options: str, root: Path = ROOT) -> None:
    """Build a Dockerfile's image into buildah's store, of the checkout at `root`."""
    baseimage.ensure()
    buildah.forget_broken_builds()
    buildah.share_uv_cache()
    with step(f"building the {recipe.name} image", recipe.expect):
        buildah.call(
            *("bud", "--layers", "--pull=never", "--network=host"),
            *buildah.trusted_certificates(),
            *options,
            *("--file", root / recipe.dockerfile.name, "--tag", tag, root),
            log=CACHE / "log" / f"image-{recipe.name}.log",
        )


def debian_packages(tag: str) -> list[str]:
    """The Debian packages in an image of buildah's store: name, version and architecture each."""
    container = buildah.call("from", "--pull-never", tag).strip()
    try:
        form = "--showformat=${Package} ${Version} ${Architecture}\\n"
        printed = buildah.call("run", container, "--", "dpkg-query", "--show", form)
        return sorted(printed.splitlines())
    finally:
        buildah.call("rm", container)


def ensure_program(name: str) -> Image:
    """An image that holds one static program from BIN and nothing else."""
    program = (BIN / name).resolve()
    image = Image(name, files.sha256(program)[:16])
    if image.is_pushed():
        return image
    with step(f"packing {name} into an image"):
        container = buildah.call("from", "scratch").strip()
        try:
            buildah.call("copy", "--quiet", "--chmod", "0755", container, program, f"/{name}")
            buildah.call("config", "--entrypoint", f'["/{name}"]', container)
            buildah.call("commit", "--quiet", container, str(image))
        finally:
            buildah.call("rm", container)
        image.push()
    return image
