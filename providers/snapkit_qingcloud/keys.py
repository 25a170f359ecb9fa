"""Keys that the vendor's own tools keep.

``config.yaml`` is shared by the command line, the SDKs and the storage plug-ins; a newer
family of tools writes an INI file beside it. Other settings in them (host, zone) do not count.
"""

from snapkit.credentials import CredentialSource, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.keyfiles import flat_fields, ini_fields, pair_in
from snapkit.sources import KeyPlace, Surroundings

__all__ = ["FILES", "PLACES"]

YAML_FILE = "~/.qingcloud/config.yaml"
INI_FILE = "~/.qingcloud/config"
FILES = (YAML_FILE, INI_FILE)


def _yaml_file(around: Surroundings) -> CredentialSource | None:
    """Return the keys in the flat file, which has no profiles."""
    if around.profile is not None:
        return None
    path = around.environ.get("QINGCLOUD_CONFIG") or YAML_FILE
    found = flat_fields(around.path(path))
    if found is None:
        return None
    keys = pair_in(found, "qy_access_key_id", "qy_secret_access_key", origin=path)
    if keys is None and found.text("uri").strip("/") == "iam":
        raise CredentialsMissingError(
            f"{path} points to the role of this machine, which snapkit cannot use",
            hint="put an access key there, or set it in the environment",
        )
    return None if keys is None else StaticSource(keys)


def _ini_file(around: Surroundings) -> CredentialSource | None:
    """Return the keys in a section of the INI file."""
    section = around.profile or "default"
    found = ini_fields(around.path(INI_FILE), section)
    if found is None:
        return None
    origin = f"{INI_FILE}, section {section!r}"
    keys = pair_in(found, "access_key_id", "secret_access_key", origin=origin)
    return None if keys is None else StaticSource(keys)


PLACES = (KeyPlace(YAML_FILE, _yaml_file), KeyPlace(INI_FILE, _ini_file))
