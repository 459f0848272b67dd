"""Tables, columns and constraints of signed records cannot be removed by a call (AUD-030, REC-040)."""

from odoo import api, models


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
        if any(model.model.startswith(('mrp.mmr', 'mrp.esignature')) for model in self):
            self.env['ir.module.module']._check_mmr_uninstall()
        return super().unlink()


class IrModelFields(models.Model):
    _inherit = 'ir.model.fields'

    def unlink(self):
        if any('mrp_mmr' in (field.modules or '') for field in self):
            self.env['ir.module.module']._check_mmr_uninstall()
        return super().unlink()


class IrModelConstraint(models.Model):
    _inherit = 'ir.model.constraint'

    def unlink(self):
        if 'mrp_mmr' in self.sudo().module.mapped('name') and not self._is_mmr_update():
            self.env['ir.module.module']._check_mmr_uninstall()
        return super().unlink()

    @api.model
    def _is_mmr_update(self):
        """An update of the addon removes constraints that its code has no more."""
        return not self.env.registry.ready
