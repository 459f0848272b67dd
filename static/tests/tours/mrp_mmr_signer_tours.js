// Tours of signing at a shared terminal and of the signing password.

import { addTour } from "./add_tour";

const PASSWORD = "A-long-password-1";

/** A colleague signs for the first time, in the session of somebody else. */
addTour("mrp_mmr_shared_terminal", {
    steps: () => [
        { trigger: "button[name=action_approve]", run: "click" },
        { trigger: ".o_mrp_mmr_sign:contains(A colleague may sign here)" },
        { trigger: ".o_mrp_mmr_sign input[name=login]", run: "edit t_colleague" },
        { trigger: ".o_mrp_mmr_sign input[name=password]", run: `edit ${PASSWORD}` },
        { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
        { trigger: ".o_mrp_mmr_acceptance:contains(Test t_colleague):contains(legally binding)" },
        { trigger: ".o_mrp_mmr_sign input[name=password]", run: `edit ${PASSWORD}` },
        { trigger: ".o_mrp_mmr_sign_button:disabled:contains(Accept and Sign)" },
        { trigger: ".o_mrp_mmr_acceptance input[name=accept]", run: "click" },
        { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Effective)" },
        { trigger: ".nav-link[name=signatures]", run: "click" },
        { trigger: ".o_field_widget[name=signature_ids] .o_data_row:contains(Approved):contains(Test t_colleague):contains(UTC)" },
        // The person who is logged in still is.
        { trigger: ".o_user_menu button, .o_user_menu .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu [data-menu=preferences], .dropdown-menu [data-menu=preferences], [data-menu=settings]" },
    ],
});

/** The owner sets the signing password in the preferences. */
addTour("mrp_mmr_signing_password", {
    steps: () => [
        { trigger: ".o_user_menu button, .o_user_menu .dropdown-toggle", run: "click" },
        { trigger: "[data-menu=preferences], [data-menu=settings]", run: "click" },
        { trigger: ".nav-link[name=mmr_signature]", run: "click" },
        { trigger: "button[name=action_mmr_signing_password]", run: "click" },
        { trigger: ".o_mrp_mmr_signing_password input[name=current]", run: `edit ${PASSWORD}` },
        { trigger: ".o_mrp_mmr_signing_password input[name=new]", run: "edit Another-password-2" },
        { trigger: ".o_mrp_mmr_signing_password input[name=again]", run: "edit Another-password-2" },
        { trigger: ".o_mrp_mmr_signing_password .btn-primary:enabled", run: "click" },
        { trigger: ".o_notification:contains(Your signing password is set)" },
    ],
});
