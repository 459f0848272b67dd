// Tours of one batch from its order to its delivery.

import { addTour, pick } from "./add_tour";

const sign = (login, comment) => [
    { trigger: ".o_mrp_mmr_sign input[name=login]", run: `edit ${login}` },
    { trigger: ".o_mrp_mmr_sign input[name=password]", run: "edit A-long-password-1" },
    ...(comment ? [{ trigger: ".o_mrp_mmr_sign textarea[name=comment]", run: `edit ${comment}` }] : []),
    { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
    { trigger: "body:not(:has(.o_mrp_mmr_sign))" },
];
const status = (label) => ({ trigger: `.o_statusbar_status .o_arrow_button_current:contains(${label})` });

/** The planner orders a batch of the effective revision. */
addTour("mrp_mmr_end_order", {
    steps: () => [
        status("Effective"),
        { trigger: "button[name=action_new_order]", run: "click" },
        { trigger: ".o_field_widget[name=mmr_available_sizes]:contains(100 kg)" },
        { trigger: "button[name=action_confirm]", run: "click" },
        status("Confirmed"),
    ],
});

/** Production compares the record with the master and issues it. */
addTour("mrp_mmr_end_issue", {
    steps: () => [
        { trigger: "button[name=action_issue]", run: "click" },
        ...sign("t_production"),
        status("Ready"),
    ],
});

addTour("mrp_mmr_end_complete", {
    steps: () => [
        { trigger: "button[name=button_mark_done]:visible", run: "click" },
        status("Done"),
    ],
});

/** Quality Control writes down what the investigation found, and closes the deviation. */
addTour("mrp_mmr_end_close", {
    steps: () => [
        ...pick("cause_id", "Equip", "Equipment"),
        ...pick("procedure_id", "SOP-DEV"),
        { trigger: ".o_field_widget[name=cause] textarea", run: "edit The clock was read wrongly." },
        { trigger: ".o_field_widget[name=quality_effect] textarea", run: "edit None: the blend was timed by the log of the blender." },
        { trigger: ".o_field_widget[name=label_effect] textarea", run: "edit None." },
        { trigger: ".o_field_widget[name=correction] textarea", run: "edit Clock exchanged." },
        { trigger: ".o_field_widget[name=material_fate] textarea", run: "edit It is in the batch." },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
        { trigger: "button[name=action_close]", run: "click" },
        ...sign("t_qc"),
        status("Closed"),
    ],
});

addTour("mrp_mmr_end_deliver", {
    steps: () => [
        status("Ready"),
        { trigger: "button[name=button_validate]:visible", run: "click" },
        status("Done"),
    ],
});
