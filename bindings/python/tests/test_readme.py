"""The examples of the READMEs, as they are written but for the server's address."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent
READMES = [PACKAGE / "README.md", PACKAGE.parent.parent / "README.md"]
EXAMPLES = [
    pytest.param(example, id=f"{path.parent.name}-{at}")
    for path in READMES
    for at, example in enumerate(re.findall(r"^```python\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL))
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example(example, versions, server, tmp_path, monkeypatch):
    old, new = versions
    (tmp_path / "app.img").write_bytes(old.read_bytes())
    (tmp_path / "app-2.0.img").write_bytes(new.read_bytes())
    monkeypatch.chdir(tmp_path)
    import gosync

    gosync.build("app-2.0.img")
    exec(compile(example.replace("https://example.org", server.url), "README.md", "exec"), {})
    made = [path for path in map(Path, ("made.bin", "app-new.img", "app.img")) if path.exists()]
    if "site" in example:
        assert gosync.verify("site", "site-2.0.gosync").ok
    else:
        assert "patch" not in example or made[0].read_bytes() == new.read_bytes()


def test_every_user_has_an_example():
    for text in (path.read_text() for path in READMES):
        for words in ("gosync.patch(", "librsync.patch(", "pyzsync.patchstream("):
            assert words in text
