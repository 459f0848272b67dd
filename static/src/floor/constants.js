// Codes of the server that the shop floor decides by; tests/unit/test_constants.py compares them with domain/.

/** Status of a step on which nobody works any more (domain/step_states.py). */
export const CLOSED = ["done", "not_done"];
/** Whose work a signature verifies (domain/step_states.py). */
export const VERIFIES = { verified: "performed", addition_verified: "added" };
/** Kinds of entries that are tested again where Quality Control authorises it (domain/step_kinds.py). */
export const RETESTED = ["value", "outcome"];
/** Where labels go, in the order in which they are asked for (domain/step_kinds.py). */
export const LABEL_USES = ["used", "destroyed", "sampled", "returned"];
/** Where packaging materials go (domain/step_kinds.py). */
export const MATERIAL_USES = ["issued", "used", "destroyed", "returned"];
/** Icons of the kinds of steps: those of a master, and what a batch adds for its packaging materials. */
export const KIND_ICONS = {
    instruction: "fa-list-ol", weigh: "fa-balance-scale", add: "fa-sign-in", numeric: "fa-dashboard", passfail: "fa-check-square-o",
    equipment: "fa-cogs", clearance: "fa-eraser", environment: "fa-thermometer-half", yield: "fa-pie-chart", label: "fa-tags",
    sampling: "fa-flask", photo: "fa-camera", material: "fa-archive",
};
