"""The contract, on every adapter and every way it can be set to speak."""

from snapkit.testing import DriverContract, Harness
from tests.providers.harnesses import (
    AlibabaHarness,
    OldTencentHarness,
    QingCloudHarness,
    TencentHarness,
)


class TestAlibaba(DriverContract):
    """Tokens and ACS3, as it comes."""

    def make_harness(self) -> Harness:
        return AlibabaHarness()


class TestAlibabaByPageNumber(DriverContract):
    """For endpoints that do not know tokens."""

    def make_harness(self) -> Harness:
        return AlibabaHarness(paging="number")


class TestAlibabaByRpc(DriverContract):
    """For endpoints that do not know ACS3."""

    def make_harness(self) -> Harness:
        return AlibabaHarness(signature="rpc")


class TestTencent(DriverContract):
    """API 3.0."""

    def make_harness(self) -> Harness:
        return TencentHarness()


class TestOldTencent(DriverContract):
    """API 2.0, by HmacSHA256."""

    def make_harness(self) -> Harness:
        return OldTencentHarness()


class TestOldTencentBySha1(DriverContract):
    """API 2.0, by HmacSHA1."""

    def make_harness(self) -> Harness:
        return OldTencentHarness(signature="hmac-sha1")


class TestQingCloud(DriverContract):
    """By GET."""

    def make_harness(self) -> Harness:
        return QingCloudHarness()


class TestQingCloudByPost(DriverContract):
    """By POST and HmacSHA1."""

    def make_harness(self) -> Harness:
        return QingCloudHarness(method="post", signature="hmac-sha1")
