"""Secrets that the system's keyring holds, so that no file has them."""

import attrs

from snapkit.credentials import Credentials, Secret
from snapkit.errors import CredentialsMissingError

__all__ = ["KeyringSource"]


@attrs.frozen(kw_only=True)
class KeyringSource:
    """The key *user* whose secret the system's keyring holds under *service*."""

    service: str
    user: str

    def get(self) -> Credentials:
        """Return the credentials; raises CredentialsMissingError for none."""
        return Credentials(
            key_id=self.user, secret=self._secret(), origin=f"the keyring, {self.service!r}"
        )

    def refresh(self, stale: Credentials) -> bool:
        """Return whether the keyring holds another secret by now."""
        return self.get() != stale

    def _secret(self) -> Secret:
        try:
            import keyring
            import keyring.errors
        except ImportError:
            raise CredentialsMissingError(
                "the package keyring is not installed", hint="pip install keyring"
            ) from None
        try:
            found = Secret(keyring.get_password(self.service, self.user) or "")
        except keyring.errors.KeyringError as error:
            raise CredentialsMissingError(
                f"the keyring cannot be read ({type(error).__name__})", hint="unlock it"
            ) from None
        if not found:
            raise CredentialsMissingError(
                f"the keyring has nothing for {self.user!r} under {self.service!r}",
                hint=f"store it with: keyring set {self.service} {self.user}",
            )
        return found
