// Tour of the differences between revisions.

import { addTour } from "./add_tour";

/** Compare revisions on the screen, and see the differences while approving. */
addTour("mrp_mmr_redline", {
    steps: () => [
        { trigger: "button[name=action_redline]", run: "click" },
        { trigger: ".o_mrp_mmr_redline_row[data-field='component.quantity'] del:contains(90 kg)" },
        { trigger: ".o_mrp_mmr_redline_row[data-field='component.quantity'] ins:contains(91 kg)" },
        { trigger: ".o_mrp_mmr_redline_group[data-group=formula] button", run: "click" },
        { trigger: ".o_mrp_mmr_redline_group[data-group=formula]:not(:has(.o_mrp_mmr_redline_item))" },
        { trigger: ".o_mrp_mmr_redline_before", run: "selectByIndex 0" },
        { trigger: ".o_mrp_mmr_redline_first" },
        { trigger: ".o_mrp_mmr_redline_before", run: "selectByIndex 1" },
        { trigger: ".o_mrp_mmr_redline_equal" },
        { trigger: ".breadcrumb a:contains(revision 2), .o_back_button a:contains(revision 2)", run: "click" },
        { trigger: "button[name=action_approve]", run: "click" },
        { trigger: ".modal-xl .o_mrp_mmr_sign_redline ins:contains(91 kg)" },
        { trigger: ".modal-xl .o_mrp_mmr_sign input[name=login]" },
    ],
});
