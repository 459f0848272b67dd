// Tour of the review and release of a batch.

import { addTour } from "./add_tour";

function sign(button) {
    return [
        { trigger: `.o_mrp_mmr_review button[data-sign=${button}]`, run: "click" },
        { trigger: ".o_mrp_mmr_sign input[name=login]", run: "edit t_qc" },
        { trigger: ".o_mrp_mmr_sign input[name=password]", run: "edit A-long-password-1" },
        { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
        { trigger: "body:not(:has(.o_mrp_mmr_sign))" },
    ];
}

/** Review a batch by exception, look at an exception, approve its results and release batch and packaged lot. */
addTour("mrp_mmr_release", {
    steps: () => [
        { trigger: "button[name=action_open_review]", run: "click" },
        { trigger: ".o_mrp_mmr_review [data-release-state=review]" },
        { trigger: ".o_mrp_mmr_review_issues:contains(not approved)" },
        { trigger: ".o_mrp_mmr_review [data-rule=persons_fast] a:first", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=performer_role]" },
        { trigger: ".o_back_button a, .breadcrumb-item a:last", run: "click" },
        { trigger: ".o_mrp_mmr_review_all", run: "click" },
        { trigger: ".o_mrp_mmr_review [data-rule=steps_closed] .fa-check" },
        ...sign("approve_results"),
        ...sign("review"),
        { trigger: ".o_mrp_mmr_review [data-release-state=approved]" },
        ...sign("release"),
        { trigger: ".o_mrp_mmr_review [data-release-state=released]" },
        ...sign("release_packed"),
        { trigger: ".o_mrp_mmr_review_signatures li:eq(2):contains(Released)" },
    ],
});
