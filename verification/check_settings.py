"""Checks that rules, rights, jobs and views are what an update or the ledger left (AUD-080, AUD-090, 21 CFR 11.10(d), (k))."""

from .evidence import EvidenceReader
from .ledger import Finding
from .setting_inventory import read_said_settings, read_settings


class SettingChecks(EvidenceReader):
    """Settings that records depend on. They belong to no company: they are checked with the whole, or with what is of none."""

    def _check_settings(self):
        if not self._is_verified(None):
            return
        said, bad = read_said_settings(self.cr)
        for line, problem in bad:
            yield Finding('mrp.audit.entry', line, "settings", "the settings that an update left", problem)
        if said is None:
            return
        found = read_settings(self.cr)
        for key in sorted({*said, *found}):
            title, digest = found.get(key, (key, None))
            if said.get(key) != digest:
                model, _comma, res_id = key.partition(',')
                yield Finding(model, int(res_id), title,
                              f"digest {said[key]}, as the last update or line of the ledger left it" if said.get(key) else
                              "none, as the last update or line of the ledger left it", digest or "none: it was deleted")
