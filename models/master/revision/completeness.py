"""What keeps a draft from being submitted: the content list of its profile, checked row by row."""

from odoo import api, fields, models

from ....domain.numbers import decimal_string
from ....domain.refusals import refusal
from ....domain.step_kinds import COMPONENT_KINDS, CONTROL_KINDS, NUMERIC_KINDS
from ....domain.step_plan import PACKING
from ..requirement import SIGNING_CHECKS

#: Units of the customary system; all others are metric. Units that people add count as what they refer to.
CUSTOMARY_UNITS = (
    'product_uom_lb', 'product_uom_oz', 'product_uom_floz', 'product_uom_qt', 'product_uom_gal', 'product_uom_inch',
    'product_uom_foot', 'product_uom_yard', 'product_uom_mile', 'product_uom_square_foot', 'product_uom_cubic_inch',
    'product_uom_cubic_foot',
)
METRIC_UNITS = (
    'product_uom_kgm', 'product_uom_gram', 'product_uom_ton', 'product_uom_litre', 'product_uom_milliliter',
    'product_uom_meter', 'product_uom_cm', 'product_uom_millimeter', 'product_uom_km', 'product_uom_cubic_meter',
    'product_uom_square_meter',
)


def blank(value):
    return not (value and value.strip())


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    #: Check of a requirement → the method that yields what is missing.
    _completeness_checks = {
        'batch_size': '_unmet_batch_size',
        'reviewed': '_unmet_reviewed',
        'change': '_unmet_change',
        'review_interval': '_unmet_review_interval',
        'strengths': '_unmet_strengths',
        'components': '_unmet_components',
        'quantities': '_unmet_quantities',
        'declaration': '_unmet_declaration',
        'overages': '_unmet_overages',
        'overage_rationale': '_unmet_overage_rationale',
        'drug': '_unmet_drug',
        'yields': '_unmet_yields',
        'control_points': '_unmet_control_points',
        'sampling': '_unmet_sampling',
        'verification': '_unmet_verification',
        'automation': '_unmet_automation',
        'precautions': '_unmet_precautions',
        'corrective_actions': '_unmet_corrective_actions',
        'stages': '_unmet_stages',
        'steps': '_unmet_steps',
        'roles': '_unmet_roles',
        'label': '_unmet_label',
        'packaging': '_unmet_packaging',
        'packs': '_unmet_packs',
        'specifications': '_unmet_specifications',
        'references': '_unmet_references',
        'sections': '_unmet_sections',
        'process_rationale': '_unmet_process_rationale',
    }

    completeness = fields.Json(compute='_compute_completeness', help="The list of required content of the profile, row by row.")
    unmet_count = fields.Integer("Unmet Requirements", compute='_compute_completeness')

    @api.depends_context('lang')
    def _compute_completeness(self):
        for revision in self:
            rows = revision.sudo()._evaluate_requirements() if revision._origin.id else []
            revision.completeness = rows
            revision.unmet_count = len([row for row in rows if row['problems']])

    # === EVALUATION === #

    def _get_requirements(self):
        """Return the requirements that hold for this revision: shipped ones and those of its company."""
        self.ensure_one()
        return self.env['mrp.mmr.requirement'].sudo().search([
            ('profile_id', '=', self.profile_id.id), ('scope', '=', 'master'), ('enabled', '=', True),
            ('company_id', 'in', (False, self.company_id.id)), ('check', 'not in', SIGNING_CHECKS)])

    def _evaluate_requirements(self):
        """Return every requirement with what is missing.

        :return: list of dicts ``id, code, citation, name, note, enforcement, page, problems``; a row without
            problems is met
        """
        self.ensure_one()
        answers = {row.requirement_id: row for row in self.answer_ids}
        rows = []
        for requirement in self._get_requirements():
            if requirement.check:
                problems = list(getattr(self, self._completeness_checks[requirement.check])())
            elif requirement in answers and not blank(answers[requirement].answer):
                problems = []
            else:
                problems = [self.env._("%s: not answered.", requirement.name)]
            rows.append({
                'id': requirement.id, 'code': requirement.code, 'citation': requirement.citation,
                'name': requirement.name, 'note': requirement.help_text or '', 'enforcement': requirement.enforcement,
                'page': requirement.page or 'completeness', 'answered': requirement in answers,
                'own': not requirement.check, 'problems': problems,
            })
        return rows

    def _get_unmet_requirements(self):
        """Return everything that keeps this draft from being submitted, as ``(citation, text)`` rows."""
        return [
            (f"{row['code']}, {row['citation']}", problem)
            for row in self.sudo()._evaluate_requirements() for problem in row['problems']]

    def _check_complete(self):
        """Refuse with all unmet rows in one message.

        :raise UserError: where anything is missing
        """
        rows = self._get_unmet_requirements()
        if rows:
            raise refusal(
                self.env,
                self.env._("%(revision)s is not complete:\n%(rows)s", revision=self.display_name,
                           rows='\n'.join(f"• {text} [{citation}]" for citation, text in rows)),
                self.env._("completeness of the profile %s", self.profile_id.name),
                self.env._("complete what is listed (Completeness page) and submit it again."), record=self)

    # === IDENTITY AND CHANGE === #

    def _unmet_batch_size(self):
        bom = self.bom_id
        if decimal_string(bom.product_qty) != decimal_string(self.batch_size) or bom.product_uom_id != self.uom_id:
            yield self.env._(
                "Odoo's decimal precision 'Product Unit' cannot represent the batch size %(size)s exactly. Enter it in a "
                "smaller unit, or increase the precision.", size=self.mmr_id._get_batch_size_label())
        else:
            yield from self._get_stock_problems(self.product_id, self.batch_size, self.uom_id)
        wanted = self._prepare_bom_vals(self.mmr_id, self.revision)
        for name in ('product_tmpl_id', 'product_id', 'company_id', 'type', 'enable_batch_size'):
            if bom._fields[name].convert_to_write(bom[name], bom) != wanted[name]:
                yield self.env._(
                    "The bill of materials differs from the MMR: %s.",
                    bom._fields[name]._description_string(self.env))

    def _unmet_reviewed(self):
        for line in self.bom_line_ids.filtered('mmr_to_review'):
            yield self.env._(
                "%s: the quantity comes from another batch size and has not been reviewed.", line.product_id.display_name)
        for operation in self.operation_ids.filtered('mmr_yield_to_review'):
            yield self.env._("%s: the yield comes from another batch size and has not been reviewed.", operation.name)
        if self.yield_to_review:
            yield self.env._("The yield of the batch comes from another batch size and has not been reviewed.")

    def _unmet_change(self):
        if blank(self.reason):
            yield self.env._("The reason for this revision is missing.")
        if self.change_category != 'initial' and blank(self.description):
            yield self.env._("The description of the change is missing.")
        if self.date_effective and self.date_effective < self._get_today():
            yield self.env._("The effective date is in the past.")

    def _unmet_review_interval(self):
        if not self.mmr_id.review_interval:
            yield self.env._("The interval in months for the periodic review is missing.")

    # === FORMULA === #

    def _unmet_strengths(self):
        for line in self.bom_line_ids.filtered('mmr_is_active'):
            if line.mmr_strength is None or line.mmr_strength == 0 or blank(line.mmr_strength_unit):
                yield self.env._("%s: the label claim or its unit is missing.", line.product_id.display_name)
        if self.profile_code in ('P111', 'P211', 'PEU') and self.bom_line_ids \
                and not any(self.bom_line_ids.mapped('mmr_is_active')):
            yield self.env._("No component is marked as a dietary or active ingredient.")

    def _unmet_components(self):
        if not self.bom_line_ids:
            yield self.env._("The list of components is empty.")
        kits = self.env['mrp.bom']._bom_find(
            self.bom_line_ids.product_id, company_id=self.company_id.id, bom_type='phantom')
        for line in self.bom_line_ids:
            name = line.product_id.display_name
            if line.product_id == self.product_id:
                yield self.env._("%s: a product cannot be a component of itself.", name)
            if line.product_id.type != 'consu':
                yield self.env._("%s: a service cannot be a component; Odoo only consumes goods.", name)
            if kits.get(line.product_id):
                yield self.env._("%s is a kit: add its components one by one.", name)

    def _unmet_quantities(self):
        for line in self.bom_line_ids:
            name = line.product_id.display_name
            if (line.gmp_qty or 0) <= 0:
                yield self.env._("%s: the quantity must be greater than zero.", name)
            elif not line._is_mmr_quantity_exact():
                yield self.env._(
                    "%(component)s: Odoo's decimal precision 'Product Unit' cannot represent %(quantity)s %(unit)s exactly. "
                    "Enter it in a smaller unit, or increase the precision.",
                    component=name, quantity=decimal_string(line.gmp_qty), unit=line.product_uom_id.name)
            else:
                yield from self._get_stock_problems(line.product_id, line.gmp_qty, line.product_uom_id)
            if not line.product_uom_id._has_common_reference(line.product_id.uom_id):
                yield self.env._(
                    "%(component)s: %(unit)s cannot be converted to %(product_unit)s.", component=name,
                    unit=line.product_uom_id.name, product_unit=line.product_id.uom_id.name)
            if line.operation_id not in self.operation_ids:
                yield self.env._("%s: the stage where it is used is missing.", name)
            if line._skip_bom_line(self.product_id):
                yield self.env._("%s is only meant for other variants of the product.", name)
            if line.mmr_stated_as:
                yield from self._get_stated_problems(line, name)
        yield from self._get_potency_problems()

    def _get_potency_problems(self):
        """Return what keeps the targets of assay-adjusted components and of their filler from being calculated."""
        adjusted = self.bom_line_ids.filtered('mmr_assay_adjusted')
        fillers = self.bom_line_ids.filtered('mmr_is_filler')
        for line in adjusted:
            name = line.product_id.display_name
            if (line.mmr_assay_reference or 0) == 0:
                yield self.env._("%s: the reference potency is missing.", name)
            if line.product_id.tracking == 'none':
                yield self.env._("%s: a component that is adjusted to the assay of its lots must be tracked by lots.", name)
        if len(fillers) > 1:
            yield self.env._("There can be only one balancing filler: %s.",
                             ', '.join(fillers.product_id.mapped('display_name')))
        if fillers and not adjusted:
            yield self.env._("%s has nothing to balance: no component is adjusted to its assay.",
                             fillers[0].product_id.display_name)
        for filler in fillers[:1]:
            name = filler.product_id.display_name
            if filler.mmr_assay_adjusted:
                yield self.env._("%s: a balancing filler cannot be adjusted itself.", name)
            for line in adjusted:
                if not line.product_uom_id._has_common_reference(filler.product_uom_id):
                    yield self.env._("%(component)s: %(unit)s cannot be converted to the unit of the filler.",
                                     component=line.product_id.display_name, unit=line.product_uom_id.name)
            if any(self._get_weighing_place(line) > self._get_weighing_place(filler) for line in adjusted):
                yield self.env._("%s is weighed before a component that it balances.", name)

    def _get_weighing_place(self, line):
        """Return where a component is weighed in the order of the work; without an own step, when its stage begins."""
        steps = self.step_ids.filtered(lambda step: step.kind == 'weigh' and step.bom_line_id == line)
        stages = self.operation_ids.sorted(lambda stage: (stage.sequence, stage.id)).ids
        step = max(steps, key=lambda step: (step.sequence, step.id), default=None)
        stage = step.operation_id if step else line.operation_id
        place = (step.sequence, step.id) if step else (-1, 0)
        return (stages.index(stage.id) if stage.id in stages else 0, *place)

    def _unmet_declaration(self):
        declared = self.ingredient_ids
        components = self.bom_line_ids.product_id
        if not declared:
            yield self.env._("No declared ingredient is listed.")
        for row in declared:
            if row.is_dietary and ((row.amount or 0) == 0 or blank(row.amount_unit)):
                yield self.env._("%s: the declared amount or its unit is missing.", row.name)
            if row.is_dietary and row.product_id not in components:
                yield self.env._("%s: this declared dietary ingredient does not match any component.", row.name)
        for product in self.bom_line_ids.filtered('mmr_is_declared').product_id - declared.product_id:
            yield self.env._("%s is marked as declared but is not among the declared ingredients.", product.display_name)

    def _unmet_overages(self):
        for line in self.bom_line_ids.filtered(lambda line: line.mmr_is_active or line._has_overage()):
            name = line.product_id.display_name
            if not line.mmr_overage_kind or (line.mmr_overage_kind != 'none' and not line._has_overage()):
                yield self.env._("%s: the overage is blank; enter a value or choose 'None'.", name)

    def _unmet_overage_rationale(self):
        for line in self.bom_line_ids:
            if line._has_overage() and blank(line.mmr_overage_rationale):
                yield self.env._("%s: the overage has no rationale.", line.product_id.display_name)

    def _unmet_drug(self):
        if blank(self.dosage_form):
            yield self.env._("The description of the dosage form is missing.")
        if self.dosage_unit_weight is None or self.dosage_unit_weight == 0 or blank(self.dosage_unit_weight_unit):
            yield self.env._("The total weight of a dosage unit, or its unit, is missing.")
        for line in self.bom_line_ids.filtered(lambda line: (line.mmr_tolerance or 0) != 0):
            if blank(line.mmr_tolerance_justification):
                yield self.env._("%s: the permitted variation has no justification.", line.product_id.display_name)
        customary, metric = (
            [self.env.ref(f'uom.{name}', raise_if_not_found=False) for name in names]
            for names in (CUSTOMARY_UNITS, METRIC_UNITS))
        systems = {}
        for unit in self.bom_line_ids.product_uom_id | self.uom_id:
            known = unit
            while known and known not in customary and known not in metric:
                known = known.relative_uom_id
            if known:
                systems.setdefault(known in customary, []).append(unit.name)
        if len(systems) > 1:
            yield self.env._("Metric and customary units cannot be mixed: %s.", ', '.join(systems[False] + systems[True]))

    # === PROCESS === #

    def _unmet_yields(self):
        if (self.theoretical_yield or 0) == 0:
            yield self.env._("The theoretical yield at the end of manufacture is missing.")
        yield from self._get_band_problems(self.env._("End of manufacture"), self.yield_min, self.yield_max)
        for operation in self.operation_ids.filtered('mmr_yield_control'):
            if (operation.mmr_theoretical_yield or 0) == 0 or not operation.mmr_yield_uom_id:
                yield self.env._("%s: the theoretical yield or its unit is missing.", operation.name)
            yield from self._get_band_problems(operation.name, operation.mmr_yield_min, operation.mmr_yield_max)

    def _get_band_problems(self, place, minimum, maximum):
        if (minimum or 0) == 0 or (maximum or 0) == 0:
            yield self.env._("%s: the minimum or the maximum yield is missing.", place)
        elif minimum < 0 or minimum > maximum:
            yield self.env._("%s: the minimum yield is above the maximum.", place)

    def _unmet_control_points(self):
        controls = self.step_ids.filtered(lambda step: step.kind in CONTROL_KINDS)
        if not controls:
            yield self.env._("There is no control point: no step measures or checks anything.")
        for step in controls:
            yield from step._get_criterion_problems(step._get_location())
            if step.kind in NUMERIC_KINDS and step.limit_kind == 'text':
                yield self.env._("%s is a measurement but has no limits.", step._get_location())
            if step.kind == 'passfail' and step.limit_kind != 'text':
                yield self.env._("%s is a pass/fail check but does not state what counts as passing.", step._get_location())

    def _unmet_sampling(self):
        for step in self.step_ids.filtered(lambda step: step.sample_required or step.kind == 'sampling'):
            missing = [label for value, label in (
                (step.sample_count and (step.sample_size or 0) > 0 and not blank(step.sample_unit), self.env._("sample size")),
                (not blank(step.sample_timing), self.env._("time of sampling")),
                (step.sample_role, self.env._("role")),
                (step.method_id, self.env._("test procedure")),
            ) if not value]
            if missing:
                yield self.env._("%(step)s: missing for the sample: %(what)s.", step=step._get_location(),
                                 what=', '.join(missing))

    def _unmet_verification(self):
        for line in self.bom_line_ids:
            name = line.product_id.display_name
            if not line.mmr_weighing_verified or not line.mmr_addition_verified:
                yield self.env._("%s: weighing and addition must both be verified.", name)
        weighed = self.step_ids.filtered(lambda step: step.kind == 'weigh')
        for line in self.bom_line_ids - weighed.bom_line_id:
            yield self.env._("%s: no step weighs and adds it.", line.product_id.display_name)
        for step in self.step_ids.filtered(lambda step: step.kind in COMPONENT_KINDS):
            if not step.bom_line_id:
                yield self.env._("%s has no component.", step._get_location())
            if step.execution == 'manual' and not step.verifier_role:
                yield self.env._("%s is done by hand but has no second person.", step._get_location())

    def _unmet_automation(self):
        for step in self.step_ids.filtered(lambda step: step.execution == 'automated' and not step.equipment_id):
            yield self.env._("%s is automated but has no equipment.", step._get_location())

    def _unmet_precautions(self):
        if blank(self.precautions):
            yield self.env._("Special notations and precautions are blank; write 'none' if there are none.")

    def _unmet_corrective_actions(self):
        for step in self.step_ids.filtered(lambda step: step.kind in CONTROL_KINDS):
            if blank(step.corrective_action):
                yield self.env._("%s: the corrective action plan is missing.", step._get_location())
        for row in self.specification_ids.filtered(lambda row: blank(row.corrective_action)):
            yield self.env._("%s: the corrective action plan is missing.", row.display_name)

    def _unmet_stages(self):
        for operation in self.operation_ids.filtered(lambda row: row.mmr_stage in ('processing', 'packaging')):
            if not operation.mmr_equipment_ids:
                yield self.env._("%s: the equipment is missing.", operation.name)
            for row in operation.mmr_equipment_ids.filtered(lambda row: blank(row.preparation)):
                yield self.env._("%(stage)s, %(equipment)s: how it is prepared is missing.", stage=operation.name,
                                 equipment=row.display_name)
            if 'clearance' not in operation.mmr_step_ids.mapped('kind'):
                yield self.env._("%s: there is no line clearance.", operation.name)

    def _unmet_steps(self):
        if not self.operation_ids:
            yield self.env._("There are no operations.")
        for operation in self.operation_ids.filtered(lambda row: not row.mmr_step_ids):
            yield self.env._("%s has no steps.", operation.name)
        # What hangs on an archived stage would be checked, and would not be in the document.
        for operation in (self.step_ids.operation_id | self.equipment_ids.operation_id) - self.operation_ids:
            yield self.env._("%s is archived but still has steps or equipment.", operation.name)
        for step in self.step_ids:
            if step.equipment_id and step.equipment_id.operation_id != step.operation_id:
                # The document names equipment by its place in the list of the stage.
                yield self.env._("%s uses equipment of another stage.", step._get_location())
            if blank(step.instruction) and step.kind in ('instruction', 'passfail', 'sampling', 'photo'):
                yield self.env._("%s: the instruction is missing.", step._get_location())

    def _unmet_roles(self):
        for step in self.step_ids:
            if not step.performer_role or not step.performer_meaning:
                yield self.env._("%s: who performs it, or the meaning of the signature, is missing.", step._get_location())
            if step.verifier_role and not step.verifier_meaning:
                yield self.env._("%s: the meaning of the verifier's signature is missing.", step._get_location())

    # === PACKAGING, LABEL, DOCUMENTS === #

    def _unmet_label(self):
        if not self.pack_ids:
            yield self.env._("The packaging has no description.")
        for pack in self.pack_ids:
            if blank(pack.description):
                yield self.env._("%s: the description of the packaging is missing.", pack.name)
            label = pack.label_id
            if not label:
                yield self.env._("%s: the label is missing.", pack.name)
            elif not label.file_id and blank(label.location):
                yield self.env._("%s: the label has neither a file nor a location.", label.display_name)
            elif label.state == 'obsolete':
                yield self.env._("%s is obsolete.", label.display_name)
            elif label.company_id != self.company_id:
                yield self.env._("%s belongs to another company.", label.display_name)
            elif self.profile_code == 'P211' and label.state != 'approved':
                yield self.env._("%s has not been signed by Quality Control.", label.display_name)

    def _unmet_packaging(self):
        if not set(PACKING) & set(self.operation_ids.mapped('mmr_stage')):
            return      # which "packs" asks for
        for pack in self.pack_ids.filtered(lambda pack: blank(pack.packed_under)):
            if not pack.line_ids:
                yield self.env._("%s: the list of packaging materials is empty.", pack.name)
            for line in pack.line_ids.filtered(lambda line: not line.uom_id._has_common_reference(line.product_id.uom_id)):
                yield self.env._("%(pack)s, %(material)s: the unit cannot be converted to the unit of the material.",
                                 pack=pack.name, material=line.product_id.display_name)
            for value, label in (
                    (pack.coding_position, self.env._("where the lot number and the expiry date are printed")),
                    (pack.clearance, self.env._("the line clearance")),
                    (pack.checks, self.env._("the packaging checks"))):
                if blank(value):
                    yield self.env._("%(pack)s is incomplete. Missing: %(what)s.", pack=pack.name, what=label)

    def _unmet_packs(self):
        """Each pack has its stage, its materials and its label reconciliation, or says where it is packed (PKG-010)."""
        packs = self.pack_ids.filtered(lambda pack: blank(pack.packed_under))
        if not packs:
            return
        if not self.operation_ids.filtered(lambda row: row.mmr_stage in PACKING):
            yield self.env._("No stage is marked as packaging or labelling: mark the one that packs %s, or enter the record "
                             "under which they are packed.", ', '.join(packs.mapped('name')))
        for pack in packs.filtered(lambda pack: not pack.line_ids):
            yield self.env._("%s: the list of packaging materials is empty.", pack.name)
        for pack in packs.filtered(lambda pack: not pack.label_id):
            yield self.env._("%s: the label that is issued and reconciled is missing.", pack.name)
        steps = self.step_ids.filtered(lambda step: step.kind == 'label')
        for step in steps.filtered(lambda step: not step.pack_id) if len(packs) > 1 else ():
            yield self.env._("%s: the pack size of its labels is missing.", step._get_location())
        for step in steps.filtered(lambda step: step.pack_id and step.pack_id not in packs):
            yield self.env._("%(step)s: %(pack)s is packed under another record.", step=step._get_location(),
                             pack=step.pack_id.name)
        for pack in packs:
            if len(steps.filtered(lambda step, pack=pack: step.pack_id == pack)) > 1:
                yield self.env._("%s: its labels are reconciled in more than one step.", pack.name)

    def _unmet_specifications(self):
        by_product = {}
        for row in self.specification_ids:
            by_product.setdefault((row.scope, row.product_id), []).append(row)
            yield from row._get_criterion_problems(row.display_name)
            if row.scope == 'component' and not row.product_id:
                yield self.env._("%s has no component.", row.display_name)
        for product in self.bom_line_ids.product_id:
            rows = by_product.get(('component', product), [])
            if not rows:
                yield self.env._("%s has no specification.", product.display_name)
            elif not any(row.is_identity for row in rows):
                yield self.env._("%s: the specification has no identity test.", product.display_name)
            elif not any(row.document_id for row in rows):
                yield self.env._("%s: the version of the specification is missing.", product.display_name)
        for product in self.pack_ids.line_ids.product_id:
            if ('packaging', product) not in by_product:
                yield self.env._("%s, a packaging material, has no specification.", product.display_name)
        scopes = set(self.specification_ids.mapped('scope'))
        if 'product' not in scopes:
            yield self.env._("The finished product has no specification.")
        if self.pack_ids and 'label' not in scopes:
            yield self.env._("The label has no specification.")

    def _unmet_references(self):
        documents = self.reference_ids.sop_id | self.step_ids.method_id | self.step_ids.sop_ids \
            | self.specification_ids.method_id | self.specification_ids.document_id
        for document in documents.filtered(lambda document: document.state == 'obsolete'):
            yield self.env._("%s is obsolete.", document.display_name)
        for document in documents.filtered(lambda document: document.company_id != self.company_id):
            yield self.env._("%s belongs to another company.", document.display_name)

    def _unmet_sections(self):
        for row in self.section_ids.filtered(lambda row: not row._is_filled()):
            yield self.env._(
                "%s: the section is empty and is not marked as not applicable with a reason.",
                dict(row._fields['code']._description_selection(self.env))[row.code])
        missing = set(dict(self.section_ids._fields['code'].selection)) - set(self.section_ids.mapped('code'))
        if missing:
            yield self.env._("Sections of the device file are missing.")

    def _unmet_process_rationale(self):
        if self.step_ids.filtered(lambda step: step.kind in CONTROL_KINDS) and blank(self.process_rationale):
            yield self.env._("The rationale why the in-process specifications assure the product is missing.")
