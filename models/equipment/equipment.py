"""Equipment under GMP control: what its log says, and whether a batch may use it."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...domain.arguments import check_values, takes
from ...domain.canonical import iso_utc
from ...domain.days import in_days, parse_day
from ...domain.refusals import refusal
from .log import CLEANING_KINDS, LOG_VALUES, RULE

#: Settings whose change is a decision of Quality Control, as it loosens a rule (PRD-110, AUD-060).
SETTINGS = {'mmr_is_instrument', 'mmr_calibration_interval', 'mmr_needs_cleaning', 'mmr_cleaning_checked', 'mmr_cleaning_hold'}
IDENTITY = {'name', 'serial_no', 'category_id', 'company_id', 'active'}
#: Roles that record what was done with equipment.
RECORDERS = ('operator', 'verifier', 'production', 'qc')
#: Days before a calibration is due in which it is announced.
NOTICE_DAYS = 30
CALIBRATION_RULE = "IPC-070, 21 CFR 111.30(c), 111.117(b)-(c), 211.68(a)"
CALIBRATION_STATES = [
    ('good', "Calibrated"),
    ('soon', "Due soon"),
    ('overdue', "Overdue"),
    ('failed', "Failed: out of service"),
    ('never', "Never calibrated"),
]
CLEANING_STATES = [
    ('clean', "Clean"),
    ('used', "Used since cleaning"),
    ('dirty', "To be cleaned"),
]


class MaintenanceEquipment(models.Model):
    """Also held in guards/maintenance_equipment.sql."""
    _name = 'maintenance.equipment'
    _inherit = ['maintenance.equipment', 'mrp.audit.mixin']

    mmr_is_instrument = fields.Boolean(
        "Measuring Instrument", tracking=True,
        help="Can only be used while its calibration is valid (IPC-070, 21 CFR 211.68(a)).")
    mmr_calibration_interval = fields.Integer("Calibration Interval", tracking=True, help="Days from one calibration to the "
                                                                                          "next.")
    mmr_needs_cleaning = fields.Boolean(
        "Cleaning between Products", default=True, tracking=True,
        help="Cannot be used after another product, or without a recorded cleaning (BPR-040, 21 CFR 111.35(b)(2), 211.67).")
    mmr_cleaning_checked = fields.Boolean(
        "Cleaning Must Be Checked", default=True, tracking=True,
        help="A second person checks and signs each cleaning (21 CFR 211.182).")
    mmr_cleaning_hold = fields.Integer(
        "Clean Hold Time", tracking=True, help="Number of days within which a batch must begin to use the unit after "
                                               "cleaning; 0 means no limit.")

    mmr_in_gmp_use = fields.Boolean(
        "In GMP Use", compute='_compute_mmr_in_gmp_use', search='_search_mmr_in_gmp_use',
        help="Named in a master record, directly or by its category, or with a log of its own.")
    mmr_log_ids = fields.One2many('mrp.equipment.log', 'equipment_id', "Log", readonly=True)
    mmr_log_count = fields.Integer("Log Entries", compute='_compute_mmr_log_count')
    mmr_calibration_status = fields.Selection(
        CALIBRATION_STATES, "Calibration", compute='_compute_mmr_status', search='_search_mmr_calibration_status')
    mmr_calibration_due = fields.Date("Calibration Due", compute='_compute_mmr_status')
    mmr_last_calibration_id = fields.Many2one('mrp.equipment.log', "Last Calibration", compute='_compute_mmr_status')
    mmr_last_calibration_result = fields.Selection(
        [('pass', "Passed"), ('fail', "Failed")], "Last Result", compute='_compute_mmr_status')
    mmr_out_of_service = fields.Boolean("Out of Service", compute='_compute_mmr_status')
    mmr_cleaning_status = fields.Selection(
        CLEANING_STATES, "Cleaning", compute='_compute_mmr_status', search='_search_mmr_cleaning_status')
    mmr_cleaned_at = fields.Datetime("Cleaned", compute='_compute_mmr_status')
    mmr_used_at = fields.Datetime("Last Used", compute='_compute_mmr_status', help="Since the last cleaning.")
    mmr_used_product_ids = fields.Many2many('product.product', string="Used For", compute='_compute_mmr_status')

    _mmr_not_negative = models.Constraint(
        'CHECK (mmr_calibration_interval >= 0 AND mmr_cleaning_hold >= 0)', "The number of days cannot be negative.")

    # === STATUS === #

    def _compute_mmr_in_gmp_use(self):
        used = self.search([('id', 'in', self.ids), ('mmr_in_gmp_use', '=', True)])
        for equipment in self:
            equipment.mmr_in_gmp_use = equipment._origin in used

    def _search_mmr_in_gmp_use(self, operator, value):
        if operator != 'in':
            return NotImplemented
        rows = self.env['mrp.mmr.equipment'].sudo().with_context(active_test=False)._search([])
        logs = self.env['mrp.equipment.log'].sudo()._search([])
        return Domain('id', 'in', rows.subselect('equipment_id')) \
            | Domain('category_id', 'in', rows.subselect('category_id')) | Domain('id', 'in', logs.subselect('equipment_id'))

    def _compute_mmr_log_count(self):
        counts = dict(self.env['mrp.equipment.log']._read_group(
            [('equipment_id', 'in', self.ids)], ['equipment_id'], ['__count']))
        for equipment in self:
            equipment.mmr_log_count = counts.get(equipment._origin, 0)

    def _mmr_get_status(self, moment=None, bpr=None):
        """Return what the log says of these units at a time and of their use in a batch: see ``mrp_mmr_equipment_status``."""
        if not self.ids:
            return {}
        cr = self.env.cr
        cr.execute(SQL("SELECT * FROM mrp_mmr_equipment_status(%s, %s, %s)", list(self.ids), moment or fields.Datetime.now(),
                       bpr.id if bpr else None))
        return {row['equipment']: row for row in cr.dictfetchall()}

    @api.depends('mmr_log_ids', 'mmr_is_instrument', 'mmr_needs_cleaning', 'mmr_cleaning_hold')
    def _compute_mmr_status(self):
        status = self._mmr_get_status()
        for equipment in self:
            row = status.get(equipment._origin.id) or {}
            calibration = equipment._mmr_judge_calibration(row)
            equipment.mmr_calibration_status = calibration
            equipment.mmr_calibration_due = calibration and row.get('due')
            equipment.mmr_last_calibration_id = row.get('calibration')
            equipment.mmr_last_calibration_result = row.get('result')
            equipment.mmr_out_of_service = calibration == 'failed'
            equipment.mmr_cleaning_status = equipment._mmr_judge_cleaning(row)
            equipment.mmr_cleaned_at = row.get('cleaned_at')
            equipment.mmr_used_at = row.get('used_at')
            equipment.mmr_used_product_ids = row.get('products')

    def _mmr_get_company(self):
        """Return the company whose days count for this unit: of one that all companies use, that of the user."""
        return self.sudo().company_id or self.env.company

    def _mmr_judge_calibration(self, row, today=None):
        """Return the calibration status of an instrument from a row of its log; False for other equipment."""
        if not self.mmr_is_instrument:
            return False
        if not row.get('calibration'):
            return 'never'
        if row['result'] == 'fail':
            return 'failed'
        today = today or self._mmr_get_company()._get_mmr_today()
        if row['due'] < today:
            return 'overdue'
        return 'soon' if row['due'] <= today + timedelta(days=NOTICE_DAYS) else 'good'

    def _mmr_judge_cleaning(self, row, moment=None):
        """Return the cleaning status from a row of the log; False where it needs none."""
        if not self.mmr_needs_cleaning:
            return False
        products = row.get('products') or ()
        if not row.get('cleaning') or len(products) > 1 or (not products and self._mmr_is_hold_exceeded(row, moment)):
            return 'dirty'
        return 'used' if products else 'clean'

    def _mmr_is_hold_exceeded(self, row, moment=None):
        """Whether the cleaning is older than the clean hold time of this unit."""
        return bool(self.mmr_cleaning_hold) and (
            (moment or fields.Datetime.now()) > row['cleaned_at'] + timedelta(days=self.mmr_cleaning_hold))

    def _search_mmr_calibration_status(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return self._mmr_search_status(value, 'mmr_is_instrument', lambda unit, row: unit._mmr_judge_calibration(row))

    def _search_mmr_cleaning_status(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return self._mmr_search_status(value, 'mmr_needs_cleaning', lambda unit, row: unit._mmr_judge_cleaning(row))

    def _mmr_search_status(self, values, flag, judge):
        """Return the domain of the equipment with ``flag`` whose status, as ``judge`` says, is one of ``values``."""
        # The register of equipment is short: its whole status is one query.
        units = self.sudo().with_context(active_test=False).search([(flag, '=', True)])
        status = units._mmr_get_status()
        found = units.filtered(lambda unit: judge(unit, status[unit.id]) in values)
        domain = Domain('id', 'in', found.ids)
        return domain | Domain(flag, '=', False) if False in values else domain

    # === SETTINGS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get('mmr_needs_cleaning') is False or vals.get('mmr_cleaning_checked') is False:
                self._mmr_check_settings_role()
        return super().create(vals_list)

    def write(self, vals):
        if any(self._fields[name].convert_to_cache(vals[name], equipment) != equipment[name]
               for name in SETTINGS & vals.keys() for equipment in self):
            self._mmr_check_settings_role()
        if any(name in self._fields and not name.startswith(('message_', 'activity_')) for name in vals.keys() - SETTINGS):
            self._mmr_check_manager()
        return super().write(vals)

    def _mmr_check_manager(self):
        """Refuse to change what equipment is to Quality Control, who only rules how it is cleaned and calibrated.

        :raise AccessError: for who does not look after equipment
        """
        if not self.env.su and not self.env.user.has_group('maintenance.group_equipment_manager'):
            raise refusal(
                self.env,
                self.env._("%s can only be changed by an Equipment Manager.", self[:1].display_name), "SEC-010, " + RULE,
                self.env._("ask an Equipment Manager."), record=self[:1], exception=AccessError)

    def _mmr_check_settings_role(self):
        """Refuse to change the rules of equipment to everybody but Quality Control.

        :raise AccessError: for anybody else
        """
        if not self.env.user.has_group('mrp_mmr.group_mmr_qc'):
            raise refusal(
                self.env,
                self.env._("Calibration and cleaning requirements of equipment can only be changed by Quality Control."),
                f"AUD-060, {CALIBRATION_RULE}", self.env._("ask a member of Quality Control to change them."), record=self[:1],
                exception=AccessError)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_logged(self):
        for equipment in self.env['mrp.equipment.log'].sudo().search([('equipment_id', 'in', self.ids)], limit=1).equipment_id:
            raise refusal(
                self.env, self.env._("%s has a log and cannot be deleted.", equipment.display_name), RULE,
                self.env._("archive the equipment."), record=equipment)

    @api.model
    def _audit_fields(self):
        return SETTINGS | IDENTITY

    # === RECORDING === #

    def action_mmr_clean(self):
        """Open the dialog that records a cleaning."""
        return self._mmr_open_record('cleaning')

    def action_mmr_maintain(self):
        """Open the dialog that records maintenance."""
        return self._mmr_open_record('maintenance')

    def action_mmr_calibrate(self):
        """Open the dialog that records a calibration."""
        return self._mmr_open_record('calibration')

    def action_mmr_use(self):
        """Open the dialog that records a use outside of a controlled batch, such as a trial."""
        return self._mmr_open_record('use')

    def _mmr_open_record(self, kind, supersedes=None):
        self.ensure_one()
        self.check_access('read')
        self._mmr_check_recorder()
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.equipment.record', 'view_mode': 'form', 'target': 'new',
            'name': dict(self.env['mrp.equipment.log']._fields['kind']._description_selection(self.env))[kind],
            'context': {
                'default_equipment_id': self.id, 'default_kind': kind,
                'default_supersedes_id': supersedes.id if supersedes else False},
        }

    def action_mmr_log(self):
        """Open the log of this equipment."""
        self.ensure_one()
        self.check_access('read')
        self.env['mrp.equipment.log'].check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp_mmr.mrp_equipment_log_action')
        return dict(action, domain=[('equipment_id', '=', self.id)], context={'search_default_group_kind': 0})

    @takes(kind='text', vals='values')
    def action_mmr_record(self, kind, vals):
        """Record a cleaning, maintenance, a calibration or a use outside of a batch in the log of this unit.

        :param str kind: see ``mrp.equipment.log``
        :param dict vals: ``ended_at`` (now, where it is missing), ``text``, ``performed_by``, ``supersedes_id`` with
            ``reason``; of a cleaning ``cleaning_kind`` and ``procedure_id``; of a calibration ``result``, ``as_found``,
            ``as_left``, ``next_due``, ``reference`` and a certificate as ``upload`` with ``upload_name``; of a use
            ``product_id`` and ``started_at``
        :return: dict of ``log_id`` and ``to_sign`` (the point that the line waits for, or False) and, of a calibration
            that failed, the names of the ``deviations`` that it opened
        :raise UserError: where something is missing, in the future or not of this kind
        :raise AccessError: for persons without a role on the floor
        """
        self.ensure_one()
        self.check_access('read')
        self._mmr_check_recorder()
        prepare = {'cleaning': self._mmr_prepare_cleaning, 'maintenance': self._mmr_prepare_maintenance,
                   'calibration': self._mmr_prepare_calibration, 'use': self._mmr_prepare_use}.get(kind)
        if not prepare:
            raise UserError(self.env._("An equipment log cannot contain this kind of entry."))
        check_values(self, 'action_mmr_record', vals, **LOG_VALUES)
        # Which batches a failed calibration concerns is judged on what is committed (see mrp_mmr_guard_bpr_unit).
        self.env.cr.execute(SQL("UPDATE maintenance_equipment SET write_date = write_date WHERE id = %s", self.id))
        line = self.env['mrp.equipment.log']._append([{**self._mmr_prepare_line(kind, vals), **prepare(vals)}])
        line._open_reviews()
        self._mmr_follow_calibration()
        return {'log_id': line.id, 'to_sign': line._get_next_point(), 'deviations': line.deviation_ids.mapped('name')}

    def _mmr_check_recorder(self):
        if not any(self.env.user.has_group(f'mrp_mmr.group_mmr_{role}') for role in RECORDERS):
            raise refusal(
                self.env, self.env._("%s has no role for recording work on equipment.", self.env.user.name),
                f"SEC-010, {RULE}", self.env._("ask the security administrator for the role."), record=self,
                exception=AccessError)

    def _mmr_prepare_line(self, kind, vals):
        """Return what lines of all kinds have: time, unit, remarks, and what they correct."""
        now = fields.Datetime.now()
        ended = fields.Datetime.to_datetime(vals.get('ended_at')) or now
        if ended > now:
            raise refusal(
                self.env, self.env._("%s: work cannot be recorded before it is done.", self.display_name), RULE,
                self.env._("record it when it is finished."), record=self)
        corrected = self.env['mrp.equipment.log'].sudo().search([
            ('id', '=', vals.get('supersedes_id') or 0), ('equipment_id', '=', self.id), ('kind', '=', kind)])
        reason = (vals.get('reason') or '').strip()
        if vals.get('supersedes_id') and (not corrected or not reason or corrected.state == 'corrected' or corrected.bpr_id):
            raise refusal(
                self.env,
                self.env._("That log entry cannot be corrected: it must be a valid entry of this log and not of a batch, and "
                           "the correction needs a reason."), "AUD-020, 21 CFR 11.10(e)",
                self.env._("choose the valid entry and enter the reason for the correction."), record=self)
        return {
            'equipment_id': self.id, 'company_id': self._mmr_get_company().id, 'kind': kind, 'ended_at': ended,
            'started_at': fields.Datetime.to_datetime(vals.get('started_at')) or False,
            'text': vals.get('text') or False, 'performed_by': (vals.get('performed_by') or '').strip() or False,
            'supersedes_id': corrected.id, 'reason': reason or False,
        }

    def _mmr_prepare_cleaning(self, vals):
        procedure = self.env['mrp.sop'].sudo().browse(vals.get('procedure_id')).exists()
        if vals.get('cleaning_kind') not in dict(CLEANING_KINDS) or not procedure or procedure.state == 'obsolete':
            raise refusal(
                self.env, self.env._("A cleaning of %s needs its kind and the current procedure that was followed.",
                                     self.display_name), f"{RULE}, 21 CFR 211.67(b)",
                self.env._("choose both."), record=self)
        return {
            'cleaning_kind': vals['cleaning_kind'], 'procedure_id': procedure.id,
            'procedure_name': procedure.with_context(mmr_short=True).display_name, 'needs_check': self.mmr_cleaning_checked}

    def _mmr_prepare_maintenance(self, vals):
        if not (vals.get('text') or '').strip():
            raise refusal(
                self.env, self.env._("%s: what was done is missing.", self.display_name), RULE,
                self.env._("describe the work and the parts that were replaced."), record=self)
        return {}

    def _mmr_prepare_use(self, vals):
        product = self.env['product.product'].browse(vals.get('product_id')).exists()
        started = fields.Datetime.to_datetime(vals.get('started_at'))
        if not product or not started:
            raise refusal(
                self.env, self.env._("A use of %s needs its product and its time.", self.display_name), RULE,
                self.env._("choose the product, or describe what the unit was used for, and enter the time."), record=self)
        return {'product_id': product.id}

    def _mmr_prepare_calibration(self, vals):
        try:
            due = parse_day(vals.get('next_due'))
        except ValueError as error:
            raise refusal(
                self.env, self.env._("The date of the next calibration of %s is not valid.", self.display_name),
                CALIBRATION_RULE, self.env._("enter a date in the years 1 to 9999."), record=self) from error
        result = vals.get('result')
        done = self._mmr_get_company()._get_mmr_day(
            fields.Datetime.to_datetime(vals.get('ended_at')) or fields.Datetime.now())
        if result == 'pass' and not due and self.mmr_calibration_interval:
            due = in_days(done, self.mmr_calibration_interval)
        if not self.mmr_is_instrument or result not in ('pass', 'fail') or (result == 'pass' and (
                not due or due <= done)) or not all(
                (vals.get(name) or '').strip() for name in ('as_found', 'performed_by')):
            raise refusal(
                self.env,
                self.env._("A calibration of %s needs: a measuring instrument, what was found, the result, who performed it "
                           "and, if it passed, a later date for the next one.", self.display_name),
                CALIBRATION_RULE, self.env._("enter what is missing."), record=self)
        file = self.env['mrp.mmr.file']
        if vals.get('upload'):
            file = file._store(vals.get('upload_name') or 'certificate.pdf', vals['upload'])
        return {
            'result': result, 'as_found': vals['as_found'].strip(), 'as_left': (vals.get('as_left') or '').strip() or False,
            'next_due': due if result == 'pass' else False, 'reference': vals.get('reference') or False, 'file_id': file.id}

    # === USE IN A BATCH === #

    def _mmr_check_usable(self, bpr, moment=None):
        """Refuse units that a batch must not use: not calibrated, or not clean for its product (BPR-040, IPC-070).

        :param datetime moment: when the batch used them, where that is recorded late
        :return: dict by unit of the cleaning and calibration that were valid, as entries keep them
        :raise UserError: naming the unit and what it lacks
        """
        bpr = bpr.sudo()
        status = self._mmr_get_status(moment, bpr)
        for equipment in self:
            row = status[equipment.id]
            company = equipment.company_id
            if not equipment.active or (company and company != bpr.company_id):
                raise equipment._mmr_refuse_use(
                    self.env._("%s is archived or belongs to another company.", equipment.display_name),
                    "BPR-030, 21 CFR 111.260(b)", self.env._("use a unit that is in service."))
            equipment._mmr_check_calibrated(row, bpr.company_id._get_mmr_day(moment or fields.Datetime.now()))
            equipment._mmr_check_clean(row, bpr, moment)
        lines = self.env['mrp.equipment.log'].sudo().browse(
            line for row in status.values() for line in (row['cleaning'], row['calibration']) if line)
        by_id = {line.id: line for line in lines}
        return {
            equipment: equipment._mmr_describe_status(
                by_id.get(status[equipment.id]['cleaning']), by_id.get(status[equipment.id]['calibration']))
            for equipment in self}

    def _mmr_refuse_use(self, message, rule, next_action):
        return refusal(self.env, message, rule, next_action, record=self)

    def _mmr_check_calibrated(self, row, day):
        message = self._mmr_get_calibration_issue(row, day)
        if message:
            raise self._mmr_refuse_use(
                message, CALIBRATION_RULE, self.env._("use another instrument, or have this one calibrated."))

    def _mmr_check_clean(self, row, bpr, moment):
        message = self._mmr_get_cleaning_issue(row, bpr, moment)
        if message:
            raise self._mmr_refuse_use(
                message, f"{RULE}, 21 CFR 211.67, EU GMP 4.31",
                self.env._("record a full cleaning with Record Cleaning, on the unit or next to it on the shop floor, and "
                           "have it signed; or use another unit."))

    def _mmr_get_cleaning_issue(self, row, bpr, moment=None):
        """Return why a unit is not clean for a batch, and which cleaning it needs, or None (BPR-040).

        :param row: of :meth:`_mmr_get_status`, of this batch
        """
        self.ensure_one()
        if not self.mmr_needs_cleaning:
            return None
        message = None
        others = set(row['products'] or ()) - {bpr.product_id.id}
        if not row['cleaning']:
            message = self.env._("%s has no signed full cleaning on record.", self.display_name)
        elif others:
            message = self.env._(
                "%(equipment)s was used for %(products)s and has not been cleaned since.", equipment=self.display_name,
                products=', '.join(self.env['product.product'].sudo().browse(others).mapped('display_name')))
        elif not row['in_batch'] and self._mmr_is_hold_exceeded(row, moment):
            message = self.env._("%(equipment)s was cleaned more than %(days)s days ago.", equipment=self.display_name,
                                 days=self.mmr_cleaning_hold)
        return message and ' '.join(filter(None, (
            message, self.env._("It needs a signed full cleaning (change of product)."), self._mmr_get_idle_cleaning(row))))

    def _mmr_get_idle_cleaning(self, row):
        """Return which cleaning was recorded since the last one that counts, and why it does not count, or None."""
        self.ensure_one()
        line = self.env['mrp.equipment.log'].sudo().search([
            ('equipment_id', '=', self.id), ('kind', '=', 'cleaning'), ('id', '!=', row['cleaning']),
            ('ended_at', '>=', row['cleaned_at'] or fields.Datetime.to_datetime('1970-01-01')),
            ('superseded_by_ids', '=', False)], order='ended_at desc, id desc', limit=1)
        if not line:
            return None
        kinds = dict(line._fields['cleaning_kind']._description_selection(self.env))
        texts = {'at': f"{line.ended_at:%Y-%m-%d %H:%M} UTC", 'kind': kinds[line.cleaning_kind]}
        if line.cleaning_kind != 'full':
            return self.env._("The cleaning of %(at)s (%(kind)s) does not count.", **texts)
        return self.env._("The cleaning of %(at)s (%(kind)s) will count once it is signed.", **texts)

    def action_mmr_clean_fully(self):
        """Open the dialog that records the cleaning which a batch waits for: a full one (BPR-040)."""
        action = self._mmr_open_record('cleaning')
        return {**action, 'context': {**action['context'], 'default_cleaning_kind': 'full'}}

    def _mmr_describe_status(self, cleaning, calibration):
        """Return cleaning and calibration as the entry of a batch keeps them (BPR-040)."""
        data = {}
        if cleaning and self.mmr_needs_cleaning:
            data['cleaning'] = {
                'id': cleaning.id, 'at': iso_utc(cleaning.ended_at), 'kind': cleaning.cleaning_kind,
                'procedure': cleaning.procedure_name}
        if calibration and self.mmr_is_instrument:
            data['calibration'] = {
                'id': calibration.id, 'at': iso_utc(calibration.ended_at), 'due': fields.Date.to_string(calibration.next_due),
                'reference': calibration.reference or None}
        return data

    # === ANNOUNCING === #

    def _mmr_follow_calibration(self):
        """Close the announcement of a calibration that was done."""
        self.invalidate_recordset(['mmr_calibration_status'])
        self.sudo().filtered(lambda unit: unit.mmr_calibration_status == 'good').activity_unlink(
            ['mrp_mmr.mail_activity_type_calibration'])

    @api.model
    def _cron_mmr_calibration_due(self, limit=100):
        """Announce calibrations that are due soon to the people responsible for the equipment, once each, in batches."""
        kind = self.env.ref('mrp_mmr.mail_activity_type_calibration')
        units = self.search([
            ('mmr_calibration_status', 'in', ['soon', 'overdue', 'never']),
            ('activity_ids', 'not any', [('activity_type_id', '=', kind.id)])], order='id')
        due = units[:limit]
        model = self.env['ir.model']._get_id(self._name)
        self.env['mail.activity'].create([{
            'activity_type_id': kind.id, 'summary': kind.summary, 'automated': True, 'res_model_id': model, 'res_id': unit.id,
            'date_deadline': unit.mmr_calibration_due or unit._mmr_get_company()._get_mmr_today(),
            'user_id': (unit.technician_user_id or unit.category_id.technician_user_id).id or self.env.uid,
        } for unit in due])
        self.env['ir.cron']._commit_progress(len(due), remaining=len(units) - len(due))
