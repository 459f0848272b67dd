// Tours of who checks evidence: audit trail, verification, bundle.

import { addTour } from "./add_tour";

/** The auditor reads the audit trail of a master record, one line of it in full, and goes to the record. */
addTour("mrp_mmr_audit_trail", {
    steps: () => [
        { trigger: "button[name=action_open_audit_trail]", run: "click" },
        { trigger: ".o_last_breadcrumb_item:contains(Audit Trail)" },
        { trigger: ".o_data_row .o_field_widget[name=summary], .o_data_row td[name=summary]:contains(State: Approved → Effective)" },
        { trigger: ".o_data_row td[name=kind]:contains(Signed)", run: "click" },
        { trigger: ".o_field_widget[name=details] table td:contains(Digest of the Signature)" },
        { trigger: "button[name=action_open_record]", run: "click" },
        { trigger: ".o_form_view button[name=action_redline]" },
    ],
});

/** Verify everything; the outcome is shown and kept. */
addTour("mrp_mmr_verify", {
    steps: () => [
        { trigger: "button[data-menu-xmlid='mrp_mmr.menu_mmr_root']", run: "click" },
        { trigger: "a[data-menu-xmlid='mrp_mmr.menu_mrp_audit_verify']", run: "click" },
        { trigger: ".o_last_breadcrumb_item:contains(Verify Evidence)" },
        { trigger: ".o_control_panel button[name=action_start]", run: "click" },
        { trigger: ".o_mrp_mmr_verify .alert" },
        { trigger: ".o_mrp_mmr_verify_show", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=line_count]" },
        { trigger: ".breadcrumb a:contains(Verify Evidence), .o_back_button a:contains(Verify Evidence)", run: "click" },
        { trigger: ".o_list_view .o_data_row" },
    ],
});

/** The complete copy, and the digest that goes with it. */
addTour("mrp_mmr_bundle", {
    steps: () => [
        { trigger: ".o_cp_action_menus button.o-dropdown, .o_cp_action_menus .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu .o_menu_item:contains(Complete Copy)", run: "click" },
        { trigger: ".o_mrp_mmr_bundle:contains(was downloaded)", timeout: 60000 },
        { trigger: ".modal-footer button", run: "click" },
    ],
});
