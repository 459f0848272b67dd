"""Downloads of MMRs: where the buttons and menus lead."""

from odoo import models

#: Browsers and proxies do not take longer addresses.
MAX_URL = 1800


def id_ranges(record_ids):
    """Return ids as text, short where they follow one another: ``1-40,43``."""
    ranges = []
    for record_id in sorted(set(record_ids)):
        if ranges and ranges[-1][1] == record_id - 1:
            ranges[-1][1] = record_id
        else:
            ranges.append([record_id, record_id])
    return ','.join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


class MrpMmr(models.Model):
    _inherit = 'mrp.mmr'

    def action_download_register(self):
        """Download the register of these MMRs, or of all that the user may read where there are too many to name."""
        self.check_access('read')
        ids = id_ranges(self.ids)
        return {
            'type': 'ir.actions.act_url',
            'target': 'self',
            'url': f'/mrp_mmr/register.xlsx?ids={ids}' if len(ids) <= MAX_URL else '/mrp_mmr/register.xlsx',
        }

    def action_download_history(self):
        """Download the spreadsheet of this MMR with its revision history (PRD-040)."""
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.act_url', 'target': 'self', 'url': f'/mrp_mmr/mmr/{self.id}.xlsx'}


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    def action_download_xlsx(self):
        """Download the spreadsheet of this revision in full."""
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.act_url', 'target': 'self', 'url': f'/mrp_mmr/revision/{self.id}.xlsx'}
