"""Settings on which evidence depends: each change is in the ledger, or refused (AUD-090, 21 CFR 11.10(k))."""

import hashlib
from contextlib import contextmanager
from contextvars import ContextVar

from odoo import api, fields, models

from ...domain.refusals import refusal
from ...verification.session import trusted_names
from ...verification.setting_inventory import DIGEST, MODELS, QUERIES, read_settings
from ..base.model import is_update

RULE = "AUD-090, 21 CFR 11.10(d), (k), EU GMP Annex 11 §10"
ADDON = 'mrp_mmr'
#: A model of Odoo that the addon only listens to: contacts are everybody's.
LISTENED_TO = {'res.partner'}
#: Longer texts are named by their digest.
SHOWN = 200
#: Whether a button of Odoo changes the states of modules; a variable of the process, which no client can set.
_buttons = ContextVar('mrp_mmr_module_buttons', default=False)


@contextmanager
def module_button():
    """Let Odoo's own buttons change which modules are installed."""
    token = _buttons.set(True)
    try:
        yield
    finally:
        _buttons.reset(token)


class MrpWatchedSettingMixin(models.AbstractModel):
    """Settings of Odoo that evidence depends on: creation, change and deletion have a line in the ledger of the company.

    What an update of the addon or of Odoo itself changes is not logged: it belongs to the version.
    """
    _name = 'mrp.watched.setting.mixin'
    _description = "Setting That Evidence Depends On"

    #: Fields whose values are logged.
    _watched_fields = ()

    def _get_watched(self):
        """Return those of these records that evidence depends on."""
        return self

    @api.model
    def _is_of_addon(self, name):
        """Whether a model holds evidence, or the addon relies on it."""
        model = self.env.registry.get(name)
        return model is not None and name not in LISTENED_TO and (
            model._module == ADDON or name in MODELS or issubclass(model, self.env.registry['mrp.audit.mixin']))

    def _is_from_addon(self):
        """Whether the addon brought this record."""
        return self.get_external_id().get(self.id, '').startswith(f'{ADDON}.')

    def _get_watched_values(self, names):
        self.ensure_one()
        record = self.sudo()
        return {name: self._get_watched_text(record._fields[name], record[name]) for name in names}

    @api.model
    def _get_watched_text(self, field, value):
        if field.relational:
            return [{'id': row.id, 'name': row.display_name} for row in value] or None
        if isinstance(value, str) and len(value) > SHOWN:
            return {'sha256': hashlib.sha256(value.encode()).hexdigest()}
        if field.type == 'boolean':
            return bool(value)
        return str(value) if value or value == 0 and value is not False else None

    def _get_setting_digests(self):
        """Return the digests with which verification compares these records from now on, by what the ledger calls them."""
        if self._name not in QUERIES:
            return {}
        self.env.flush_all()
        with trusted_names(self.env.cr):
            settings = read_settings(self.env.cr, self._name, self.ids)
        return {key: digest for key, (_name, digest) in settings.items()}

    def _log_watched(self, before, kind):
        """Append a line about each of these records whose watched values are not what they were before."""
        lines, digests = [], self._get_setting_digests() if kind != 'unlink' else {}
        for record in self:
            old = before.get(record.id, {})
            new = record._get_watched_values(self._watched_fields) if kind != 'unlink' else {}
            changed = {name: {**({'old': old[name]} if old else {}), **({'new': new[name]} if new else {})}
                       for name in self._watched_fields if old.get(name) != new.get(name)}
            if self._name in QUERIES and changed:
                changed[DIGEST] = {'new': digests.get(f'{self._name},{record.id}')}
            if changed:
                lines.append({
                    'chain': self.env.company, 'kind': 'setting', 'model': self._name, 'res_id': record.id,
                    'record_name': record.sudo().display_name, 'values': changed})
        return lines

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        if not is_update(self.env):
            self.env['mrp.audit.entry']._append(records._get_watched()._log_watched({}, 'create'))
        return records

    def write(self, vals):
        if is_update(self.env) or not set(self._watched_fields) & vals.keys():
            return super().write(vals)
        before = {record.id: record._get_watched_values(self._watched_fields) for record in self._get_watched()}
        result = super().write(vals)
        # What it was or what it became: either is enough.
        watched = self._get_watched() | self.browse(before)
        self.env['mrp.audit.entry']._append(watched._log_watched(before, 'write'))
        return result

    def unlink(self):
        if is_update(self.env):
            return super().unlink()
        watched = self._get_watched()
        lines = watched._log_watched(
            {record.id: record._get_watched_values(self._watched_fields) for record in watched}, 'unlink')
        result = super().unlink()
        self.env['mrp.audit.entry']._append(lines)
        return result


class IrRule(models.Model):
    _name = 'ir.rule'
    _inherit = ['ir.rule', 'mrp.watched.setting.mixin']
    _watched_fields = ('name', 'model_id', 'domain_force', 'groups', 'active', 'perm_read', 'perm_write', 'perm_create',
                       'perm_unlink')

    def _get_watched(self):
        return self.sudo().filtered(lambda rule: self._is_of_addon(rule.model_id.model))


class ResGroups(models.Model):
    """Groups name record rules as well; one that a rule names is not deleted, says Odoo."""
    _inherit = 'res.groups'

    @api.model_create_multi
    def create(self, vals_list):
        groups = super().create(vals_list)
        groups._log_rules({})
        return groups

    def write(self, vals):
        if 'rule_groups' not in vals:
            return super().write(vals)
        before = self._get_rules()
        result = super().write(vals)
        self._log_rules(before)
        return result

    def _get_rules(self):
        """Return what the ledger says of the rules of these groups: values by id."""
        rules = self.env['ir.rule'].sudo().with_context(active_test=False).search([('groups', 'in', self.ids)])
        return {rule.id: rule._get_watched_values(rule._watched_fields) for rule in rules._get_watched()}

    def _log_rules(self, before):
        if not is_update(self.env):
            rules = self.env['ir.rule'].sudo().browse({*before, *self._get_rules()})
            self.env['mrp.audit.entry']._append(rules._log_watched(before, 'write'))


class IrModelAccess(models.Model):
    _name = 'ir.model.access'
    _inherit = ['ir.model.access', 'mrp.watched.setting.mixin']
    _watched_fields = ('name', 'model_id', 'group_id', 'active', 'perm_read', 'perm_write', 'perm_create', 'perm_unlink')

    def _get_watched(self):
        return self.sudo().filtered(lambda access: self._is_of_addon(access.model_id.model))


class IrCron(models.Model):
    _name = 'ir.cron'
    _inherit = ['ir.cron', 'mrp.watched.setting.mixin']
    _watched_fields = ('active', 'interval_number', 'interval_type', 'user_id', 'code', 'nextcall')

    def _get_watched(self):
        return self.sudo().filtered(lambda cron: cron._is_from_addon() or self._is_of_addon(cron.model_id.model))


class IrMailServer(models.Model):
    _name = 'ir.mail_server'
    _inherit = ['ir.mail_server', 'mrp.watched.setting.mixin']
    _watched_fields = ('name', 'smtp_host', 'smtp_port', 'smtp_user', 'smtp_encryption', 'from_filter', 'sequence', 'active')


class IrAsset(models.Model):
    _name = 'ir.asset'
    _inherit = ['ir.asset', 'mrp.watched.setting.mixin']
    _watched_fields = ('name', 'bundle', 'directive', 'path', 'target', 'active', 'sequence')


class IrUiView(models.Model):
    _name = 'ir.ui.view'
    _inherit = ['ir.ui.view', 'mrp.watched.setting.mixin']
    _watched_fields = ('name', 'model', 'key', 'type', 'inherit_id', 'arch_db', 'active', 'priority', 'mode')

    def _get_watched(self):
        def is_watched(view):
            while view:
                if view._is_from_addon() or view.model and self._is_of_addon(view.model):
                    return True
                view = view.inherit_id
            return False
        return self.sudo().filtered(is_watched)

    def write(self, vals):
        # The form writes the text under other names.
        if not {'arch', 'arch_base', 'arch_fs'} & vals.keys() or is_update(self.env):
            return super().write(vals)
        before = {view.id: view._get_watched_values(self._watched_fields) for view in self._get_watched()}
        result = super().write(vals)
        self.env['mrp.audit.entry']._append(self.browse(before)._log_watched(before, 'write'))
        return result


class IrConfigParameter(models.Model):
    _name = 'ir.config_parameter'
    _inherit = ['ir.config_parameter', 'mrp.watched.setting.mixin']
    _watched_fields = ('key', 'value')

    def _get_watched(self):
        return self.sudo().filtered(lambda row: row.key.startswith(ADDON) or row.key == 'web.base.url')


class IrActionsServer(models.Model):
    """Code that somebody writes into the database has no part in GMP records; what else it does is in the ledger."""
    _name = 'ir.actions.server'
    _inherit = ['ir.actions.server', 'mrp.watched.setting.mixin']
    _watched_fields = ('name', 'model_id', 'state', 'code', 'update_path', 'webhook_url', 'group_ids')

    mmr_is_edited = fields.Boolean(
        "Written in the Database", readonly=True, copy=False,
        help="Somebody wrote or changed it, so it cannot act in anybody's session. What a module supplies acts for the user "
             "who runs it.")

    @api.model_create_multi
    def create(self, vals_list):
        is_edited = not is_update(self.env)
        actions = super().create([dict(vals, mmr_is_edited=is_edited) for vals in vals_list])
        actions._check_no_code()
        return actions

    def write(self, vals):
        if not is_update(self.env) and {'code', 'state', 'model_id', 'model_name'} & vals.keys():
            for action in self.sudo().filtered(lambda action: action._is_from_addon()):
                if any(action._fields[name].convert_to_write(action[name], action) != vals[name]
                       for name in ('code', 'state', 'model_id') if name in vals):
                    raise action._refuse_code()
        if {'code', 'state', 'model_id', 'update_path', 'value', 'child_ids', 'mmr_is_edited'} & vals.keys():
            vals = dict(vals, mmr_is_edited=not is_update(self.env))
        result = super().write(vals)
        if {'code', 'state', 'model_id'} & vals.keys():
            self._check_no_code()
        return result

    def _check_no_code(self):
        """Refuse code on models that hold evidence (AUD-090)."""
        if is_update(self.env):
            return
        for action in self.sudo():
            if action.state == 'code' and self._is_of_addon(action.model_id.model) and not action._is_from_addon() \
                    and (action.code or '').strip() and not action._is_default_code():
                raise action._refuse_code()

    def _is_default_code(self):
        """Whether nothing but comments is in it yet: what a new form begins with."""
        return all(not line.strip() or line.strip().startswith('#') for line in (self.code or '').splitlines())

    def _refuse_code(self):
        return refusal(
            self.env, self.env._("%(action)s: code stored in the database cannot work on %(model)s.", action=self.name,
                                 model=self.model_id.name), RULE,
            self.env._("write an addon, which is validated and has a version."), record=self)


class IrModuleModule(models.Model):
    """The list of installed modules can only be changed with Odoo's buttons."""
    _name = 'ir.module.module'
    _inherit = ['ir.module.module', 'mrp.watched.setting.mixin']
    _watched_fields = ('state', 'latest_version')

    @api.model_create_multi
    def create(self, vals_list):
        self._check_state_by_button({'state'} if any(
            vals.get('state') not in (None, 'uninstalled', 'uninstallable') for vals in vals_list) else set())
        return super().create(vals_list)

    def write(self, vals):
        self._check_state_by_button({'state', 'name', 'latest_version'} & vals.keys())
        return super().write(vals)

    def _check_state_by_button(self, names):
        if names and not is_update(self.env) and not _buttons.get():
            raise refusal(
                self.env, self.env._("The list of installed modules cannot be edited."), RULE,
                self.env._("use Install, Upgrade or Uninstall on the module."), record=self[:1])

    def _state_update(self, newstate, states_to_update, level=100):
        with module_button():
            return super()._state_update(newstate, states_to_update, level)

    def button_install(self):
        with module_button():
            return super().button_install()

    def button_uninstall(self):
        with module_button():
            return super().button_uninstall()

    def button_upgrade(self):
        with module_button():
            return super().button_upgrade()

    @api.model
    def button_reset_state(self):
        with module_button():
            return super().button_reset_state()

    def module_uninstall(self):
        names = self.mapped('name')
        with module_button():
            result = super().module_uninstall()
        if ADDON not in names:
            # What went with the module, as no update follows; its columns are gone from whatever is read.
            self.env['mrp.audit.entry'].with_context(prefetch_fields=False)._note_settings()
        return result

    @api.model
    def update_list(self):
        with module_button():
            return super().update_list()
