"""Tables, columns and constraints of signed records cannot be removed by a call (AUD-030, REC-040)."""

from odoo import api, models


def is_update(env):
    """Whether the registry is being loaded: an update of the addon removes what its code no longer contains."""
    return not env.registry.ready


class IrModelData(models.Model):
    _inherit = 'ir.model.data'

    @api.model
    def _module_data_uninstall(self, modules_to_remove):
        if 'mrp_mmr' in modules_to_remove:
            self.env['ir.module.module']._check_mmr_uninstall()
        return super()._module_data_uninstall(modules_to_remove)


class IrModel(models.Model):
    _inherit = 'ir.model'

    def unlink(self):
        # Those of Odoo that hold evidence too: released orders, bills of materials of revisions.
        if any('mrp_mmr' in (model.modules or '').split(', ') for model in self) and not is_update(self.env):
            self.env['ir.module.module']._check_mmr_uninstall()
        return super().unlink()


class IrModelFields(models.Model):
    _inherit = 'ir.model.fields'

    def unlink(self):
        if any('mrp_mmr' in (field.modules or '') for field in self) and not is_update(self.env):
            self.env['ir.module.module']._check_mmr_uninstall()
        return super().unlink()


class IrModelConstraint(models.Model):
    _inherit = 'ir.model.constraint'

    def unlink(self):
        if 'mrp_mmr' in self.sudo().module.mapped('name') and not is_update(self.env):
            self.env['ir.module.module']._check_mmr_uninstall()
        return super().unlink()
