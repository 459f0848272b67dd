"""What is recorded at a step: checked on entry, judged by the system, corrected with a reason."""

from fractions import Fraction

from odoo import models
from odoo.exceptions import UserError

from ....domain.arguments import takes
from ....domain.canonical import sha256
from ....domain.criterion import limits_text
from ....domain.files import IMAGES
from ....domain.limits import in_band, is_plausible, percentage
from ....domain.numbers import Number, decimal_string, exact, get_factor, plain, round_fraction
from ....domain.refusals import refusal
from ....domain.results import Result, compared_text, get_limits, judge_result
from ....domain.step_kinds import ENTRY_OF_STEP, LABEL_USES, RETESTED
from ....domain.step_states import CLOSED
from ...base.notation import get_plain_writer, take_number
from .entry import RULE as CORRECTION_RULE

ANYWHERE = ('check', 'equipment', 'sample', 'photo', 'comment', 'handover')


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    #: Kind of an entry → the method that checks what was entered and returns the values of the entry.
    _entry_methods = {
        'check': '_prepare_check',
        'value': '_prepare_value',
        'outcome': '_prepare_outcome',
        'weight': '_prepare_weight',
        'equipment': '_prepare_equipment',
        'yield': '_prepare_yield',
        'labels': '_prepare_labels',
        'material': '_prepare_material',
        'sample': '_prepare_sample',
        'photo': '_prepare_photo',
        'comment': '_prepare_comment',
        'handover': '_prepare_comment',
    }

    @takes(kind='text', vals='values', token='text', reason='text', corrects='id')
    def action_record(self, kind, vals, token=None, reason=None, corrects=None):
        """Record a value at this step, or correct one.

        :param str kind: see ``mrp.bpr.entry``
        :param dict vals: what was entered; numbers in their canonical form (NUM-010)
        :param str token: of the terminal, so that an entry sent again is stored once
        :param str reason: why a recorded value is corrected, or recorded late
        :param int corrects: the entry that is corrected
        :return: dict of ``entry_id``, ``outcome``, ``to_sign`` and the names of the ``deviations`` that it opened
        :raise UserError: if the value is invalid or not plausible, or cannot be recorded now or by this person
        """
        answer = self._record(kind, vals, token, reason, corrects)
        if kind == 'handover':
            self.env['mrp.signer.session']._hand_over()
        return answer

    def _record(self, kind, vals, token=None, reason=None, corrects=None, extra=None):
        """Record as :meth:`action_record` does, with the values of the entry in ``extra``, which no client sends."""
        self.ensure_one()
        self.check_access('read')
        self._lock()
        entries = self.env['mrp.bpr.entry']
        known = entries.sudo().search([('step_id', '=', self.id), ('token', '=', token)], limit=1) if token else entries
        sent = sha256([self.env.uid, kind, repr(vals), reason or None, corrects or None])
        if known:
            if known.sent_sha256 and known.sent_sha256 != sent:
                raise refusal(
                    self.env, self.env._("%s: another entry was sent with the same token.", self.display_name),
                    "AUD-020, ALCOA, 21 CFR 11.10(a), (e), 111.260(g)",
                    self.env._("reload the step; what was stored is shown there. Record the other entry again."), record=self)
            return self._describe_entry(known, self.env['mrp.deviation'])
        if not isinstance(vals, dict) or not isinstance(kind, str) or kind not in (ENTRY_OF_STEP.get(self.kind), *ANYWHERE):
            raise UserError(self.env._("%(step)s cannot record this kind of entry.", step=self.display_name))
        self._check_performer(self.env.user)
        self._check_terminal()
        corrected = self._get_corrected(kind, corrects)
        is_note = kind in ('comment', 'handover')
        reason = (reason or '').strip()
        if (corrected or self.state in CLOSED) and not reason:
            raise refusal(
                self.env, self.env._("A correction or late entry needs a reason: %s.", self.display_name), CORRECTION_RULE,
                self.env._("enter the reason; the first entry remains readable."), record=self)
        if self.state == 'open':
            raise refusal(
                self.env, self.env._("%s has not been started.", self.display_name), "BPR-110, 21 CFR 111.260(j)",
                self.env._("start the step, then record."), record=self)
        if self.state == 'started' and not is_note:
            self._check_workable(own_deviations=False)
            self._check_retest(kind, corrected)
        prepared = getattr(self, self._entry_methods[kind])(vals)
        if kind == 'weight':
            prepared['data'].update(self._prepare_adjustment(prepared, corrected))
        self._check_stock(kind, prepared, corrected, vals)
        entry = entries._append({
            **prepared, 'step_id': self.id, 'kind': kind, 'supersedes_id': corrected.id, 'reason': reason or False,
            'is_late': self.state in CLOSED, 'to_sign': self.state != 'started' and not is_note,
            'token': token, 'sent_sha256': sent if token else False, 'device': self._get_device(), **(extra or {}),
        })
        before = self.sudo().deviation_ids
        step = self.sudo()
        step.invalidate_recordset(['entry_ids', 'result', 'outcome'])
        step.entry_ids.invalidate_recordset(['is_current', 'is_proposed'], flush=False)
        if entry.is_current:
            step._apply_entry(entry)
        step._notify_floor()
        return self._describe_entry(entry, step.deviation_ids - before)

    def _describe_entry(self, entry, deviations):
        return {
            'entry_id': entry.id, 'outcome': entry.outcome or False, 'to_sign': entry.to_sign,
            'deviations': deviations.mapped('display_name')}

    def _get_corrected(self, kind, entry_id):
        """Return the entry that is corrected: of this step, of this kind, valid, and no result out of limits."""
        entry = self.sudo().entry_ids.filtered(lambda entry: entry.id == entry_id)
        if entry_id and (not entry or entry.kind != kind or entry.superseded_by_ids):
            raise refusal(
                self.env, self.env._("This entry of %s can no longer be corrected.", self.display_name), CORRECTION_RULE,
                self.env._("reload the step and correct the valid entry."), record=self)
        if entry.outcome == 'fail' and kind == 'value' and (entry.is_current or entry.esignature_ids):
            raise refusal(
                self.env, self.env._("A result out of limits cannot be overwritten: %s.", self.display_name),
                "IPC-030, 21 CFR 211.192", self.env._("ask Quality Control for a retest."), record=self)
        return entry

    def _check_retest(self, kind, corrected):
        """Refuse another result after one out of limits that Quality Control did not authorise (IPC-030)."""
        if not corrected and self._is_retest_missing(kind):
            raise refusal(
                self.env, self.env._("%s has a result out of limits.", self.display_name), "IPC-030, 21 CFR 211.192",
                self.env._("ask Quality Control to authorise a retest."), record=self)

    def _is_retest_missing(self, kind):
        """Whether another result of this kind waits for the authorisation of a retest (IPC-030)."""
        self.ensure_one()
        if kind not in RETESTED:
            return False
        results = self.sudo().entry_ids.filtered(lambda entry: entry.kind == kind and not entry.is_rejected)
        failed = results.filtered(lambda entry: entry.outcome == 'fail')
        return bool(failed) and len(results.filtered(lambda entry: entry.id > failed[0].id)) >= self.retest_count

    # === VALUES === #

    def _parse(self, text, positive=False):
        """Return the Number of a canonical text that a client sent.

        :raise UserError: where it is none, or negative where it may not be
        """
        number = take_number(self.env, text, self, "BPR-080, 21 CFR 111.260(g)")
        if positive and number < 0:
            raise refusal(
                self.env, self.env._("%s cannot be negative.", get_plain_writer(self.env)(text)), "BPR-060, 21 CFR 111.260(e)",
                self.env._("enter the quantity that was measured."), record=self)
        return number

    def _parse_optional(self, vals, name):
        """Return the Number of a figure that is never negative; None where it is blank."""
        value = vals.get(name)
        return None if value is None or value is False or value == '' else self._parse(value, positive=True)

    def _parse_count(self, vals, name):
        """Return a count as int; None where it is blank.

        A count has no decimals, not even zeros: 1.000 labels would be one label to some and a thousand to others (NUM-010).
        """
        number = self._parse_optional(vals, name)
        if number is None or not number.digits:
            return number and int(number)
        raise refusal(
            self.env, self.env._("%(step)s: %(value)s is not a whole number.", step=self.display_name,
                                 value=get_plain_writer(self.env)(number.text)),
            "NUM-010, BPR-080, 21 CFR 111.260(g)", self.env._("enter the count without decimals."), record=self)

    def _prepare_value(self, vals):
        number = self._parse(vals.get('value'))
        criterion, plausibility = self.planned['criterion'] or {}, self.planned['plausibility']
        if not is_plausible(number.value, plausibility):
            show = get_plain_writer(self.env)
            raise refusal(
                self.env, self.env._("%(value)s is outside the plausible range here (%(minimum)s to %(maximum)s).",
                                     value=show(number.text),
                                     **{name: show(limit or '–') for name, limit in plausibility.items()}),
                "VER-060, EU GMP Annex 11 §6", self.env._("read the instrument again."), record=self)
        limits, result, instrument = get_limits(criterion), Result(number=number), self._prepare_instrument(vals)
        judgement = judge_result(result, limits) if limits else None
        compared = judgement and compared_text(result, judgement)
        data = {**instrument.get('data', {}), **({'compared': compared} if compared else {})}
        return {
            'value': number.text, 'unit': criterion.get('unit'), 'text': self._text(vals),
            'outcome': judgement.outcome if judgement else 'pass', **instrument, **({'data': data} if data else {})}

    def _prepare_outcome(self, vals):
        if not isinstance(vals.get('pass'), bool):
            raise UserError(self.env._("Choose whether it conforms."))
        text = self._text(vals)
        if not vals['pass'] and not text:
            raise refusal(
                self.env, self.env._("%s: the finding is missing.", self.display_name), "BPR-080, 21 CFR 111.260(g)",
                self.env._("describe what does not conform."), record=self)
        return {'outcome': 'pass' if vals['pass'] else 'fail', 'text': text}

    def _prepare_check(self, vals):
        row = next((row for row in self.planned['checklist'] if row['position'] == vals.get('position')), None)
        if not row:
            raise UserError(self.env._("%s has no such row in its checklist.", self.display_name))
        found = self._prepare_outcome(vals)
        return {**found, 'position': row['position'], 'text': ': '.join(filter(None, (row['text'], found['text'])))}

    def _prepare_comment(self, vals):
        text = self._text(vals)
        about = self.sudo().entry_ids.filtered(lambda entry: entry.id == vals.get('about_id'))
        if not text:
            raise UserError(self.env._("Enter the comment."))
        return {'text': text, 'about_id': about.id}

    def _prepare_photo(self, vals):
        file = self.env['mrp.mmr.file']._store(vals.get('name') or 'photo.jpg', vals.get('data'), IMAGES)
        return {'file_id': file.id, 'text': self._text(vals)}

    def _prepare_sample(self, vals):
        sample = self.planned['sample'] or {}
        count = self._parse_count(vals, 'count')
        if not count:
            raise UserError(self.env._("The number of samples must be a whole number greater than zero."))
        size = self._parse_optional(vals, 'size')
        return {
            'value': str(count), 'text': self._text(vals), 'unit': None,
            'data': {'count': str(count), 'size': size.text if size else sample.get('size'),
                     'unit': sample.get('unit')}}

    def _text(self, vals):
        text = vals.get('text')
        return text.strip() or False if isinstance(text, str) else False

    # === WEIGHING === #

    def _get_target(self):
        """Return the component of the snapshot that this step is about, or None."""
        return self.planned['target']

    def _prepare_weight(self, vals):
        target = self._get_target()
        unit = self.env['uom.uom'].browse(target['unit_id'])
        entered = self.env['uom.uom'].browse(vals['unit_id']).exists() if isinstance(vals.get('unit_id'), int) else unit
        number = self._parse(vals.get('value'), positive=True)
        factor = Fraction(1) if entered == unit else get_factor(entered, unit)
        if factor is None:
            raise refusal(
                self.env, self.env._("%(step)s: %(value)s %(unit)s cannot be converted to %(target)s.", step=self.display_name,
                                     value=get_plain_writer(self.env)(number.text), unit=entered.name, target=unit.name),
                "BPR-060, NUM-060, 21 CFR 111.260(e)", self.env._("weigh in %s.", unit.name), record=self)
        # The reading stays in the unit of the instrument; what is booked is as much of it as stock can hold (NUM-060).
        quantity = number.value if factor == 1 else round_fraction(number.scaled(factor))
        # Of what was not needed no lot was taken (V-07: zero is a result).
        is_nothing = number == 0 and not vals.get('lot_name') and not vals.get('lot_id')
        lot = {} if is_nothing else self._get_lot(target, vals)
        figures = {name: self._parse_optional(vals, name) for name in ('issued', 'returned', 'scrapped')}
        flows = {name: figure.value for name, figure in figures.items() if figure}
        text = self._text(vals)
        if 'issued' in flows:
            missing = flows['issued'] - quantity - flows.get('returned', 0) - flows.get('scrapped', 0)
            if missing and not text:
                raise refusal(
                    self.env,
                    self.env._("Issued does not equal used, returned and scrapped for lot %(lot)s: the difference is "
                               "%(missing)s %(unit)s.",
                                         lot=lot.get('lot_name', '–'), missing=get_plain_writer(self.env)(plain(missing)),
                                         unit=unit.name),
                    "BPR-060, 21 CFR 111.260(e)", self.env._("correct the figures, or explain the difference."), record=self)
        instrument = self._prepare_instrument(vals)
        return {
            **lot, **instrument, 'value': number.text, 'unit': entered.name, 'text': text,
            'data': {'quantity': plain(quantity), 'unit_id': unit.id, 'product': target['product']['id'],
                     **({'factor': str(factor)} if entered != unit else {}),
                     **{name: figure.text for name, figure in figures.items() if figure}, **instrument.get('data', {})}}

    def _get_lot(self, target, vals):
        """Return the lot of a component: known, of the right product, unexpired, released and there (USE-060)."""
        product = self.env['product.product'].sudo().browse(target['product']['id'])
        name = vals['lot_name'].strip() if isinstance(vals.get('lot_name'), str) else ''
        if product.tracking == 'none':
            if not name:
                raise self._refuse_lot(self.env._("No lot was entered."))
            return {'lot_name': name}
        lots = self.env['stock.lot'].sudo()
        lot = lots.browse(vals['lot_id']).exists() if isinstance(vals.get('lot_id'), int) else lots.search([
            ('name', '=', name), ('product_id', '=', product.id),
            ('company_id', 'in', (False, self.sudo().company_id.id))], limit=1)
        if not lot:
            # A lot of another component says whose it is.
            other = lots.search([('name', '=', name), ('company_id', 'in', (False, self.sudo().company_id.id))], limit=1)
            if not other:
                raise self._refuse_lot(self.env._("%(product)s has no lot %(lot)s.", product=product.display_name, lot=name))
            lot = other
        self._check_lot(lot, product)
        return {'lot_id': lot.id, 'lot_name': lot.name}

    def _check_lot(self, lot, product):
        """Refuse a lot that must not be used.

        :raise UserError: naming the lot and why
        """
        if lot.product_id != product:
            raise self._refuse_lot(self.env._(
                "Lot %(lot)s is %(actual)s, not %(planned)s.", lot=lot.name, actual=lot.product_id.display_name,
                planned=product.display_name))
        company = self.sudo().company_id
        if lot._mmr_is_expired(company):
            raise self._refuse_lot(self.env._("Lot %(lot)s expired on %(date)s.", lot=lot.name,
                                              date=company._get_mmr_day(lot.expiration_date)))
        self._check_released(lot)
        location = self.sudo().production_id.location_src_id
        if product.is_storable and not self.env['stock.quant'].sudo().search_count([
                ('lot_id', '=', lot.id), ('location_id', 'child_of', location.id), ('quantity', '>', 0)], limit=1):
            raise self._refuse_lot(self.env._("Lot %(lot)s is not at %(location)s.", lot=lot.name,
                                              location=location.display_name))

    def _check_released(self, lot):
        """Refuse a lot that Quality Control did not release, or that is to be tested again (USE-060, 21 CFR 211.84(a)).

        What this step weighed while it was released is corrected whatever became of it: the record says what was done.
        """
        if self.state not in ('open', 'started') and lot in self.sudo().entry_ids.lot_id:
            return
        if lot.mmr_status != 'released':
            raise self._refuse_lot(self.env._(
                "Lot %(lot)s has not been released by Quality Control: %(status)s.", lot=lot.name,
                status=lot._mmr_get_status_label()))
        if lot.mmr_retest_date and lot.mmr_retest_date <= self.sudo().company_id._get_mmr_today():
            raise self._refuse_lot(self.env._(
                "The retest date of lot %(lot)s was %(date)s.", lot=lot.name, date=lot.mmr_retest_date))

    def _refuse_lot(self, message):
        return refusal(
            self.env, message, "USE-060, BPR-050, 21 CFR 111.120(e), 111.155(c)(3), 211.84(a)",
            self.env._("use a released lot of this component and scan its label."), record=self)

    def _get_weights(self):
        """Return the valid weights of this step's component in this batch, wherever they were recorded."""
        self.ensure_one()
        steps = self if self.kind == 'weigh' else self.bpr_id.sudo().step_ids.filtered(
            lambda step: step.kind == 'weigh' and step.planned['component'] == self.planned['component'])
        return steps.sudo().entry_ids.filtered(lambda entry: entry.kind == 'weight')._get_current()

    # === YIELD AND LABELS === #

    def _prepare_yield(self, vals):
        band = self.planned['band']
        number = self._parse(vals.get('value'), positive=True)
        if not band:
            return {'value': number.text, 'unit': self.sudo().production_id.product_uom_id.name, 'text': self._text(vals)}
        percent = percentage(number.value, band['theoretical'])
        return {
            'value': number.text, 'unit': band['unit'], 'text': self._text(vals),
            'outcome': 'pass' if in_band(number.value, band) else 'fail',
            'data': {'theoretical': band['theoretical'], 'percent': None if percent is None else decimal_string(percent),
                     'minimum': band['minimum'], 'maximum': band['maximum']}}

    def _prepare_labels(self, vals):
        """Return a label reconciliation: issued is used, destroyed, returned and sampled (YLD-040 to YLD-060)."""
        name = vals['lot_name'].strip() if isinstance(vals.get('lot_name'), str) else ''
        if not name:
            raise self._refuse_lot(self.env._("Labels must be identified by their lot."))
        pack = self._get_pack(vals)
        counts = {name: self._parse_count(vals, name) for name in ('issued', *LABEL_USES, 'finished')}
        # Zero is a count, as of a pack that is not made; only a blank is missing.
        if counts['issued'] is None:
            raise UserError(self.env._("Enter how many were issued."))
        finished = counts.pop('finished')
        figures = {name: count or 0 for name, count in counts.items()}
        if vals.get('coded') and figures['returned']:
            raise refusal(
                self.env, self.env._("Labels printed with a lot number cannot be returned to stock."),
                "YLD-060, 21 CFR 211.125(d), 111.415(h)", self.env._("destroy them and record their number."), record=self)
        difference = figures['issued'] - sum(figures[use] for use in LABEL_USES)
        data = {**self._check_label_version(pack, vals),
                **{name: str(figure) for name, figure in figures.items()}, 'difference': str(difference)}
        if finished is None and self._get_profile() == 'P211':
            raise refusal(
                self.env, self.env._("Labels used are compared with the number of finished units."),
                "YLD-040, 21 CFR 211.125(c)",
                self.env._("enter the number of finished units."), record=self)
        if finished is not None:
            data |= {'finished': str(finished), 'finished_difference': str(figures['used'] - finished)}
        waiver = self._prepare_waiver(vals) if vals.get('waiver') else {}
        limit = exact((self.planned['criterion'] or {}).get('maximum') or 0)
        off = max(abs(difference), abs(exact(data.get('finished_difference'))))
        return {
            'lot_name': name, 'position': pack['position'] if pack else False,
            'data': {**data, **waiver, 'coded': 'yes' if vals.get('coded') else 'no', 'limit': decimal_string(limit)},
            'text': self._text(vals), 'outcome': 'pass' if waiver or off <= limit else 'fail'}

    def _get_pack(self, vals):
        """Return the pack size of the snapshot that is labelled here: the one of the step, the named one or the only one."""
        packs = [self.planned['pack']] if self.planned.get('pack') else self._get_snapshot_document().get('packs', [])
        chosen = [pack for pack in packs if pack['position'] == vals.get('position')] or (packs if len(packs) == 1 else [])
        if packs and not chosen:
            raise UserError(self.env._("Choose the pack size: %s.", ', '.join(pack['name'] for pack in packs)))
        return chosen[0] if chosen else None

    def _check_label_version(self, pack, vals):
        """Return code and version of the label that was used, which is the one of the snapshot (USE-060, BPR-120)."""
        label = pack and pack['label']
        if not label:
            return {}
        version = str(vals.get('version') or '').strip()
        if version != (label['version'] or ''):
            raise refusal(
                self.env, self.env._("%(pack)s is labelled with %(code)s version %(version)s, not with version %(other)s.",
                                     pack=pack['name'], code=label['code'], version=label['version'], other=version or '–'),
                "USE-060, BPR-120, 21 CFR 111.410(b), 211.125(b)",
                self.env._("compare the labels with the MMR and enter the version that is printed on them."), record=self)
        return {'label': label['code'], 'version': version}

    def _get_snapshot_document(self):
        return self.sudo().production_id.mmr_snapshot['document']

    def _get_profile(self):
        return self._get_snapshot_document()['profile']['code']

    def _prepare_material(self, vals):
        """Return what was used of a packaging material: its lot, and issued is used, destroyed and returned (BPR-120)."""
        pack = self.planned['pack']
        row = next((row for row in pack['materials'] if row['position'] == vals.get('position')), None)
        if vals.get('not_made'):
            text = self._text(vals)
            if not text:
                raise UserError(self.env._("Enter the reason why %s is not made in this batch.", pack['name']))
            return {'text': text, 'data': {'not_made': 'yes'}}
        if not row:
            raise UserError(self.env._("%s has no such material.", pack['name']))
        lot = self._get_lot(row, vals)
        typed = {name: self._parse_optional(vals, name) for name in ('issued', 'used', 'destroyed', 'returned')}
        if typed['issued'] is None:
            raise UserError(self.env._("Enter how many were issued."))
        figures = {name: number or Number('0') for name, number in typed.items()}
        difference = (figures['issued'] - figures['used'] - figures['destroyed'] - figures['returned']).value
        if difference and not self._text(vals):
            raise refusal(
                self.env,
                self.env._("Issued does not equal used, destroyed and returned for %(product)s: the difference is "
                           "%(difference)s.",
                                     product=row['product']['name'],
                                     difference=get_plain_writer(self.env)(plain(difference))),
                "BPR-120, 21 CFR 111.260(k)(1)", self.env._("correct the figures, or explain the difference."), record=self)
        return {
            **lot, 'position': row['position'], 'unit': row['unit'], 'text': self._text(vals),
            'data': {'product': row['product']['name'], 'difference': plain(difference),
                     **{name: figure.text for name, figure in figures.items()}}}

    def _prepare_waiver(self, vals):
        """Return the waiver of a reconciliation: cut or roll labels that a machine examined one by one (YLD-050)."""
        examined, result = vals.get('examined_by'), vals.get('examination')
        if vals.get('label_type') not in ('cut', 'roll') or not examined or not result:
            raise refusal(
                self.env,
                self.env._("A reconciliation can only be waived for cut or roll labels that were all examined electronically."),
                "YLD-050, 21 CFR 111.410(b), 211.125(c)",
                self.env._("record the equipment and the result of the examination, or reconcile."), record=self)
        return {'waiver': str(vals['label_type']), 'examined_by': str(examined), 'examination': str(result)}

    # === CONSEQUENCES === #

    def _apply_entry(self, entry):
        """Draw the consequences of a valid entry: a deviation where it is out of limits, and the stock.

        They are part of the transaction that stores the entry (IPC-020, YLD-020).
        """
        self.ensure_one()
        if entry.outcome == 'fail':
            limits = self._get_limits_label()
            self.env['mrp.deviation']._open(
                self, 'specification' if entry.kind in ('value', 'outcome', 'yield', 'labels') else 'departure',
                self.env._("%(step)s: %(result)s", step=self.display_name, result=entry.summary),
                self.env._("Recorded: %(result)s. Limits: %(limits)s.", result=entry.summary, limits=limits or '–'),
                entry=entry)
        if entry.equipment_id and entry.to_sign:
            self._log_use(entry.equipment_id)
        if entry.kind == 'weight' and entry.to_sign:
            self._check_amount(late=True)
            self._get_balancing_steps()._check_balance()
            if self._is_component_added():
                self._post_consumption()
        if entry.kind in ('weight', 'material', 'yield') and self.bpr_id.state in ('done', 'cancel'):
            self.production_id._mmr_settle()

    def _get_limits_label(self):
        """Return the acceptance criterion or the yield band of the snapshot in words."""
        self.ensure_one()
        band, criterion = self.planned['band'], self.planned['criterion'] or {}
        if self.kind == 'yield' and band:
            return self.env._("%(minimum)s – %(maximum)s %% of %(theoretical)s %(unit)s", **{
                name: band[name] for name in ('minimum', 'maximum', 'theoretical', 'unit')})
        return limits_text(criterion) or criterion.get('text') or ''
