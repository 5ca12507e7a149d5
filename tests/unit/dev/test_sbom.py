from dev import sbom

PRINTED = {
    "bomFormat": "CycloneDX",
    "metadata": {"tools": {}},
    "components": [
        {
            "bom-ref": "requirements-L7", "description": "requirements line 7: aiohttp==3.14.5 …",
            "name": "aiohttp", "purl": "pkg:pypi/aiohttp@3.14.5", "type": "library",
            "version": "3.14.5",
        },
    ],
    "dependencies": [{"ref": "requirements-L7"}],
}  # fmt: skip


def test_an_image_has_its_python_packages_and_debians_by_their_addresses():
    bom = sbom.of_image(PRINTED, "operator", "0.1.0", ["libstdc++6 14.2.0-19 amd64"])
    assert [component["bom-ref"] for component in bom["components"]] == [
        "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie",
        "pkg:pypi/aiohttp@3.14.5",
    ]
    assert {each["name"]: each["version"] for each in bom["components"]} == {
        "libstdc++6": "14.2.0-19",
        "aiohttp": "3.14.5",
    }
    assert bom["metadata"]["component"]["name"] == "operator"


def test_no_component_tells_in_which_line_it_was_locked():
    assert "requirements" not in str(sbom.of_image(PRINTED, "operator", "0.1.0", []))
