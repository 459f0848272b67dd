// Tours of a master: written, submitted, rejected, approved, ordered.

import { addTour } from "./add_tour";

const PASSWORD = "A-long-password-1";

/** Type user name and password into the signature dialog, and a reason where one is needed. */
function sign(login, { password = PASSWORD, reason } = {}) {
    return [
        { trigger: ".o_mrp_mmr_sign input[name=login]", run: `edit ${login}` },
        { trigger: ".o_mrp_mmr_sign input[name=password]", run: `edit ${password}` },
        ...(reason ? [{ trigger: ".o_mrp_mmr_sign textarea[name=comment]", run: `edit ${reason}` }] : []),
        { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
    ];
}

const status = (label) => ({ trigger: `.o_statusbar_status .o_arrow_button_current:contains(${label})` });

addTour("mrp_mmr_author", {
    steps: () => [
        { trigger: ".o_list_button_add, .o-kanban-button-new", run: "click" },
        { trigger: ".o_field_widget[name=product_id] input", run: "edit Vitamin C 500" },
        { trigger: ".ui-autocomplete a:contains(Vitamin C 500 mg tablets)", run: "click" },
        { trigger: ".o_field_widget[name=formulation_code] input", run: "edit TOUR-A" },
        { trigger: ".o_field_widget[name=batch_size] input", run: "edit 100" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_field_widget[name=open_revision_id] .o_external_button, .o_field_widget[name=open_revision_id] a", run: "click" },
        status("Draft"),
        { trigger: ".nav-link[name=operations]", run: "click" },
        { trigger: ".o_field_widget[name=operation_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_field_widget[name=operation_ids] .o_selected_row [name=name] input", run: "edit Blending" },
        { trigger: ".o_field_widget[name=operation_ids] .o_selected_row [name=workcenter_id] input", run: "edit Blending room" },
        { trigger: ".ui-autocomplete a:contains(Blending room)", run: "click" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
        { trigger: ".nav-link[name=components]", run: "click" },
        { trigger: ".o_field_widget[name=bom_line_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_field_widget[name=bom_line_ids] .o_selected_row [name=product_id] input", run: "edit Ascorbic" },
        { trigger: ".ui-autocomplete a:contains(Ascorbic acid)", run: "click" },
        { trigger: ".o_field_widget[name=bom_line_ids] .o_selected_row [name=gmp_qty] input", run: "edit 90.25" },
        // The stage is proposed; the label claim appears with the mark.
        { trigger: ".o_field_widget[name=bom_line_ids] .o_selected_row [name=operation_id] input:value(Blending)" },
        { trigger: ".o_field_widget[name=bom_line_ids] .o_selected_row [name=mmr_is_active] input", run: "click" },
        { trigger: ".o_field_widget[name=bom_line_ids] .o_selected_row [name=mmr_strength] input", run: "edit 500" },
        { trigger: ".o_field_widget[name=bom_line_ids] .o_selected_row [name=mmr_strength_unit] input", run: "edit mg per tablet" },
        { trigger: ".o_field_widget[name=bom_line_ids] .o_selected_row [name=mmr_is_declared] input", run: "click" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
        { trigger: ".nav-link[name=steps]", run: "click" },
        { trigger: "button[name=action_add_weighing_steps]", run: "click" },
        { trigger: ".o_field_widget[name=step_ids] .o_data_row:contains(Weigh and add Ascorbic acid):contains(Verifier)" },
        { trigger: ".o_field_widget[name=step_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_field_widget[name=step_ids] .o_selected_row [name=operation_id] input:value(Blending)" },
        { trigger: ".o_field_widget[name=step_ids] .o_selected_row [name=name] input", run: "edit Blend for 15 minutes" },
        { trigger: ".o_field_widget[name=step_ids] .o_selected_row [name=instruction] textarea", run: "edit At 12 rpm." },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
        // Red rows say what is missing and lead to the place.
        { trigger: ".nav-link[name=completeness]", run: "click" },
        { trigger: ".o_mrp_mmr_met[data-code=CON-020]" },
        { trigger: ".o_mrp_mmr_unmet[data-code=CON-050]:contains(overage is blank)" },
        { trigger: ".o_mrp_mmr_unmet[data-code=CON-110] button", run: "click" },
        { trigger: ".o_field_widget[name=precautions] textarea", run: "edit none" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
        { trigger: ".nav-link[name=completeness]", run: "click" },
        { trigger: ".o_mrp_mmr_met[data-code=CON-110]" },
        { trigger: ".nav-link[name=declaration]", run: "click" },
        { trigger: "button[name=action_add_ingredients]", run: "click" },
        { trigger: ".o_field_widget[name=ingredient_ids] .o_data_row:contains(Ascorbic acid):contains(mg per tablet)" },
        // Submitting lists everything that is still missing, at once.
        { trigger: "button[name=action_submit]", run: "click" },
        { trigger: ".o_error_dialog:contains(CON-060):contains(CON-070):contains(CON-200), .modal:contains(CON-060):contains(CON-070):contains(CON-200)" },
        { trigger: ".modal .btn-primary", run: "click" },
        status("Draft"),
    ],
});

addTour("mrp_mmr_submit", {
    steps: () => [
        status("Draft"),
        { trigger: "button[name=action_submit]", run: "click" },
        { trigger: ".o_mrp_mmr_sign:contains(Prepared):contains(revision 1)" },
        ...sign("t_preparer", { password: "wrong" }),
        { trigger: ".o_mrp_mmr_refused:contains(SIG-040)" },
        ...sign("t_preparer"),
        status("Submitted"),
        { trigger: ".nav-link[name=signatures]", run: "click" },
        { trigger: ".o_field_widget[name=signature_ids] .o_data_row:contains(Prepared):contains(Test t_preparer):contains(UTC)" },
    ],
});

addTour("mrp_mmr_reject", {
    steps: () => [
        status("Submitted"),
        { trigger: "button[name=action_reject]", run: "click" },
        ...sign("t_qc", { reason: "Blending time is missing" }),
        status("Draft"),
        { trigger: ".o-mail-Message:contains(Blending time is missing)" },
    ],
});

addTour("mrp_mmr_approve", {
    steps: () => [
        status("Submitted"),
        { trigger: "button[name=action_approve]", run: "click" },
        { trigger: ".o_mrp_mmr_sign:contains(Approved)" },
        ...sign("t_qc"),
        status("Effective"),
    ],
});

addTour("mrp_mmr_order", {
    steps: () => [
        status("Effective"),
        { trigger: "button[name=action_new_order]", run: "click" },
        { trigger: ".o_field_widget[name=mmr_available_sizes]:contains(100 kg, 500 kg)" },
        { trigger: "button[name=action_confirm]", run: "click" },
        status("Confirmed"),
        { trigger: ".o_field_widget[name=mmr_revision_id]:contains(revision 1)" },
        { trigger: ".o_field_widget[name=mmr_snapshot_sha256]" },
    ],
});

addTour("mrp_mmr_order_refused", {
    steps: () => [
        status("Effective"),
        { trigger: "button[name=action_new_order]", run: "click" },
        { trigger: ".o_field_widget[name=product_qty] input", run: "edit 137" },
        { trigger: "button[name=action_confirm]", run: "click" },
        { trigger: ".modal-body:contains(100 kg, 500 kg):contains(137 kg):contains(USE-010):contains(What you can do)" },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        { trigger: ".o_field_widget[name=mmr_id] input", run: "edit 500 kg" },
        { trigger: ".ui-autocomplete a:contains(500 kg)", run: "click" },
        { trigger: ".o_field_widget[name=product_qty] input:value(500)" },
        { trigger: "button[name=action_confirm]", run: "click" },
        status("Confirmed"),
    ],
});
