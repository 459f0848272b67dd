"""Kinds of steps in a master, and what is recorded at each of them in a batch."""

STEP_KINDS = [
    ('instruction', "Instruction"),
    ('weigh', "Weigh and add"),
    ('add', "Add"),
    ('numeric', "Measurement"),
    ('passfail', "Pass / fail check"),
    ('equipment', "Equipment"),
    ('clearance', "Line clearance"),
    ('environment', "Environment"),
    ('yield', "Yield"),
    ('label', "Label reconciliation"),
    ('sampling', "Sampling"),
    ('photo', "Photo"),
]

#: Steps about one component. Where a step of its own adds it, the step before only weighs or measures it.
COMPONENT_KINDS = ('weigh', 'add')

#: Steps that carry a specification: control points (21 CFR 111.205(b)).
CONTROL_KINDS = ('numeric', 'passfail', 'environment')

NUMERIC_KINDS = ('numeric', 'environment')

ENTRY_KINDS = [
    ('check', "Checklist"),
    ('value', "Reading"),
    ('outcome', "Pass / fail"),
    ('weight', "Weight"),
    ('equipment', "Equipment"),
    ('yield', "Yield"),
    ('labels', "Labels"),
    ('material', "Packaging material"),
    ('sample', "Sample"),
    ('photo', "Photo"),
    ('comment', "Comment"),
    ('handover', "Hand-over"),
]

#: What is recorded at each kind of step, beside checklists, equipment, samples, photos and comments.
ENTRY_OF_STEP = {
    'weigh': 'weight', 'numeric': 'value', 'environment': 'value', 'passfail': 'outcome', 'clearance': 'outcome',
    'equipment': 'equipment', 'yield': 'yield', 'label': 'labels', 'material': 'material', 'sampling': 'sample',
    'photo': 'photo',
}

#: Where labels go (21 CFR 111.410(b), 211.125(c)).
LABEL_USES = ('used', 'destroyed', 'returned', 'sampled')

#: Where packaging materials go.
MATERIAL_USES = ('issued', 'used', 'destroyed', 'returned')

#: Kinds of entries that are tested again where Quality Control authorises it (IPC-030).
RETESTED = ('value', 'outcome')
