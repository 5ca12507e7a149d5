"""The documentation as a site of plain files, built without any network."""

from pathlib import Path

from dev import venv
from dev.commands import environment, run
from dev.paths import CACHE, ROOT
from dev.say import say, step


def build() -> None:
    """Build docs/ into site/."""
    build_into(ROOT / "site")
    say(f"Open {ROOT / 'site/index.html'}; for its search, serve it:")
    say(f"  python3 -m http.server --directory {ROOT / 'site'}")


def build_into(out: Path) -> None:
    """Build the site in place of what is there; a broken link, or a page that is in no menu,
    fails it."""
    mkdocs = venv.ensure("docs") / "bin/mkdocs"
    command: list[str | Path] = [mkdocs, "build", "--strict", "--clean", "--site-dir", out]
    with step("building the documentation"):
        # mkdocs imports the hooks, which lie in dev/.
        env = environment(PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1")
        run([*command, "--config-file", ROOT / "mkdocs.yml"], env=env, log=CACHE / "log/docs.log")
