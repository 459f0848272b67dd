"""Words for the codes of a frozen document, in the language of the reader.

Documents hold codes (``weigh``, ``operator``), so that what is signed depends on no language. Screens, prints and
spreadsheets of documents all take their words from here.
"""


def code_labels(env):
    """Return dicts from code to label by kind of code; a code that is not in them is shown as it is."""
    def selection(model, field):
        return dict(env[model]._fields[field]._description_selection(env))

    return {
        'flag': {'yes': env._("Yes"), 'no': env._("No")},
        'role': selection('mrp.mmr.step', 'performer_role'),
        'meaning': selection('mrp.esignature', 'meaning'),
        'stage': selection('mrp.routing.workcenter', 'mmr_stage'),
        'kind': selection('mrp.mmr.step', 'kind'),
        'execution': selection('mrp.mmr.step', 'execution'),
        'scope': selection('mrp.mmr.specification', 'scope'),
        'document': selection('mrp.sop', 'kind'),
        'category': selection('mrp.mmr.revision', 'change_category'),
        'overage': {'none': env._("None")},
        'basis': selection('mrp.bom.line', 'mmr_assay_basis'),
    }


def redline_groups(env):
    """Return the name of each group of differences."""
    return {
        'identity': env._("Identity"),
        'formula': env._("Formula"),
        'overage': env._("Overage"),
        'yields': env._("Yields"),
        'steps': env._("Stages and steps"),
        'equipment': env._("Equipment"),
        'label': env._("Packs and label"),
        'tests': env._("Specifications and tests"),
        'text': env._("Texts and references"),
    }


def _formula_fields(env):
    """Fields of components and other materials, by kind of row."""
    position = env._("Position")
    material = {
        'product': (env._("Product"), None),
        'quantity': (env._("Quantity"), None),
        'product_unit_quantity': (env._("Quantity in the unit of the product"), None),
        'operation': (env._("Stage"), None),
        'position': (position, None),
    }
    return {
        'component': {
            **material,
            'overage': (env._("Overage"), 'overage'),
            'overage.rationale': (env._("Rationale for the overage"), None),
            'is_active': (env._("Active"), 'flag'),
            'is_declared': (env._("Declared on the label"), 'flag'),
            'in_product': (env._("In the finished product"), 'flag'),
            'supplier': (env._("Supplier"), None),
            'strength': (env._("Strength"), None),
            'tolerance': (env._("Weighing tolerance"), None),
            'tolerance_justification': (env._("Justification for the tolerance"), None),
            'stated': (env._("Stated as"), None),
            'weighing_verified': (env._("Weighing is verified"), 'flag'),
            'addition_verified': (env._("Addition is verified"), 'flag'),
            'assay': (env._("Reference potency"), None),
            'assay.basis': (env._("Potency basis"), 'basis'),
            'is_filler': (env._("Balancing filler"), 'flag'),
        },
        'by_product': material,
        'material': material,
    }


def _yield_fields(env):
    """Fields of the yield of a stage or of the batch."""
    return {
        'yield.theoretical': (env._("Theoretical yield"), None),
        'yield.band': (env._("Acceptable yield, percent of theoretical"), None),
        'yield.rationale': (env._("Rationale for the yield limits"), None),
    }


def _stage_fields(env):
    """Fields of stages and of their equipment, by kind of row."""
    position = env._("Position")
    return {
        'operation': {
            'name': (env._("Name"), None),
            'work_center': (env._("Work center"), None),
            'stage': (env._("Kind of stage"), 'stage'),
            'predecessors': (env._("After stage"), None),
            'instruction': (env._("Instruction"), None),
            **_yield_fields(env),
            'time_limit': (env._("Time limit"), None),
            'hold_time': (env._("Hold time"), None),
            'storage_conditions': (env._("Environment and storage"), None),
            'position': (position, None),
        },
        'equipment': {
            'name': (env._("Equipment"), None),
            'class': (env._("Equipment class"), None),
            'preparation': (env._("Preparation"), None),
            'position': (position, None),
        },
    }


def _step_fields(env):
    """Fields of steps and of their checklists, by kind of row."""
    position = env._("Position")
    return {
        'step': {
            'name': (env._("Name"), None),
            'kind': (env._("Kind"), 'kind'),
            'instruction': (env._("Instruction"), None),
            'precaution': (env._("Precaution"), None),
            'component': (env._("Component"), None),
            'performer_role': (env._("Performed by"), 'role'),
            'performer_meaning': (env._("Signature of the performer"), 'meaning'),
            'verifier_role': (env._("Verified by"), 'role'),
            'verifier_meaning': (env._("Signature of the verifier"), 'meaning'),
            'is_critical': (env._("Critical"), 'flag'),
            'is_hold_point': (env._("Hold point"), 'flag'),
            'execution': (env._("Execution"), 'execution'),
            'equipment': (env._("Equipment used"), None),
            'pack': (env._("Label reconciliation for"), None),
            'minimum_time': (env._("Minimum time"), None),
            'time_limit': (env._("Time limit"), None),
            'criterion': (env._("Acceptance criterion"), None),
            'plausibility': (env._("Plausible values"), None),
            'corrective_action': (env._("Corrective action"), None),
            'sample': (env._("Sample"), None),
            'sample.role': (env._("Sampled by"), 'role'),
            'method': (env._("Method"), None),
            'documents': (env._("Documents"), None),
            'picture': (env._("Picture"), None),
            'position': (position, None),
        },
        'checklist': {
            'text': (env._("Checklist"), None),
            'mandatory': (env._("Mandatory"), 'flag'),
            'position': (position, None),
        },
    }


def _pack_fields(env):
    """Fields of the declared composition, of packs and their product labels, by kind of row."""
    position = env._("Position")
    return {
        'ingredient': {
            'name': (env._("Name on the label"), None),
            'is_dietary': (env._("Dietary ingredient"), 'flag'),
            'product': (env._("Product"), None),
            'amount': (env._("Declared amount"), None),
            'position': (position, None),
        },
        'pack': {
            'name': (env._("Name"), None),
            'size': (env._("Size"), None),
            'packed_under': (env._("Packed under"), None),
            'description': (env._("Description"), None),
            'coding_position': (env._("Position of the coding"), None),
            'clearance': (env._("Line clearance"), None),
            'checks': (env._("Checks during packaging"), None),
            'label': (env._("Label"), None),
            'label.file': (env._("Label, file"), None),
            'label.location': (env._("Label, location"), None),
            'label.panel': (env._("Label, panel"), None),
            'label.claims': (env._("Label, claims"), None),
            'label.approval': (env._("Label, approval"), None),
            'position': (position, None),
        },
    }


def _text_fields(env):
    """Fields of specifications, references, sections, reviews and answers, by kind of row."""
    position = env._("Position")
    return {
        'specification': {
            'parameter': (env._("Parameter"), None),
            'scope': (env._("Scope"), 'scope'),
            'product': (env._("Product"), None),
            'is_identity': (env._("Identity test"), 'flag'),
            'criterion': (env._("Acceptance criterion"), None),
            'method': (env._("Method"), None),
            'method_document': (env._("Method, document"), None),
            'document': (env._("Specification, document"), None),
            'corrective_action': (env._("Corrective action"), None),
            'position': (position, None),
        },
        'reference': {
            'document': (env._("Document"), None),
            'purpose': (env._("Purpose"), None),
            'position': (position, None),
        },
        'section': {
            'name': (env._("Section"), None),
            'text': (env._("Text"), None),
            'file': (env._("File"), None),
            'location': (env._("Location"), None),
            'not_applicable_reason': (env._("Reason for not applicable"), None),
            'position': (position, None),
        },
        'reviewer': {
            'name': (env._("Review"), None),
            'role': (env._("Role of the reviewer"), None),
            'position': (position, None),
        },
        'answer': {
            'text': (env._("Requirement"), None),
            'answer': (env._("Answer"), None),
            'position': (position, None),
        },
    }


def _head_fields(env):
    """Fields of the master and of the revision as a whole."""
    return {
        'company': (env._("Company"), None),
        'profile': (env._("Profile"), None),
        'product': (env._("Product"), None),
        'formulation': (env._("Formulation"), None),
        'batch_size': (env._("Batch size"), None),
        'batch_size.product_unit_quantity': (env._("Batch size in the unit of the product"), None),
        'identity.description': (env._("Description of the product"), None),
        'identity.dosage_form': (env._("Dosage form"), None),
        'identity.dosage_unit_weight': (env._("Weight of a dosage unit"), None),
        'effective_date': (env._("Effective date"), None),
        'training_required': (env._("Training required"), 'flag'),
        **_yield_fields(env),
        'precautions': (env._("Special notations and precautions"), None),
        'process_rationale': (env._("Rationale of the in-process specifications"), None),
        'change.category': (env._("Category of the change"), 'category'),
        'change.description': (env._("Description of the change"), None),
        'change.reason': (env._("Reason for the change"), None),
    }


def redline_fields(env):
    """Return for each field of a redline its label, and the kind of code that its values are, or None."""
    rows = {
        **_formula_fields(env), **_stage_fields(env), **_step_fields(env), **_pack_fields(env), **_text_fields(env)}
    return _head_fields(env) | {
        f'{row}.{field}': label for row, fields in rows.items() for field, label in fields.items()}


def batch_state_labels(env):
    """Return what became of a batch, as product quality reviews and indexes say it."""
    return {
        'open': env._("Open"), 'review': env._("In review"), 'released': env._("Released"), 'rejected': env._("Rejected"),
        'cancelled': env._("Cancelled")}
