// Tours of the planner.

import { addTour } from "./add_tour";

const row = ".o_mrp_mmr_planner_row:contains(Vitamin C 500)";
const plan = ".modal .o_field_widget[name=line_ids]";

addTour("mrp_mmr_planner", {
    steps: () => [
        { trigger: ".o_mrp_mmr_planner_search", run: "edit VC500" },
        { trigger: `.o_mrp_mmr_planner:not(:has(.o_mrp_mmr_planner_row + .o_mrp_mmr_planner_row)) ${row}:contains(1,250)` },
        { trigger: `${row} .o_mrp_mmr_planner_cell:contains(100 kg):contains(Rev. 1):contains(No open order)` },
        { trigger: `${row} .o_mrp_mmr_planner_cell:contains(500 kg)` },
        // A demand by the dialog: what it proposes, and what the planner makes of it.
        { trigger: `${row} .o_mrp_mmr_planner_plan`, run: "click" },
        { trigger: ".modal .o_field_widget[name=demand_qty] input:value(1250)" },
        { trigger: `${plan} .o_data_row:eq(0):contains(500) [name=batch_count]:contains(2)` },
        { trigger: `${plan} .o_data_row:eq(1):contains(100) [name=batch_count]:contains(3)` },
        { trigger: ".modal .o_field_widget[name=over_qty]:contains(50)" },
        { trigger: `${plan} .o_data_row:eq(1) td[name=batch_count]`, run: "click" },
        { trigger: `${plan} .o_data_row:eq(1) [name=batch_count] input`, run: "edit 2" },
        { trigger: ".modal .o_field_widget[name=demand_qty] input", run: "click" },
        { trigger: ".modal .o_field_widget[name=missing_qty]:contains(50)" },
        { trigger: ".modal:not(:has(button[name=action_confirm_orders]))" },
        { trigger: `${plan} .o_data_row:eq(1) td[name=batch_count]`, run: "click" },
        { trigger: `${plan} .o_data_row:eq(1) [name=batch_count] input`, run: "edit 4" },
        { trigger: ".modal .o_field_widget[name=demand_qty] input", run: "click" },
        { trigger: ".modal .o_field_widget[name=over_qty]:contains(150)" },
        { trigger: ".modal button[name=action_confirm_orders]", run: "click" },
        { trigger: ".o_list_view .o_data_row:eq(5):contains(Confirmed)" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_breadcrumb:contains(Planned Orders) a:contains(Planner), .o_back_button", run: "click" },
        // Back on the same search; the orders are counted. One more order, of exactly one size.
        { trigger: ".o_mrp_mmr_planner_search:value(VC500)" },
        { trigger: `${row} .o_mrp_mmr_planner_cell:contains(100 kg) .o_mrp_mmr_planner_orders:contains(4 open orders)`, run: "click" },
        { trigger: ".o_list_view .o_data_row:eq(3)" },
        { trigger: ".o_breadcrumb a:contains(Planner), .o_back_button", run: "click" },
        { trigger: `${row} .o_mrp_mmr_planner_cell:contains(500 kg) .o_mrp_mmr_planner_new`, run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=product_qty] input:value(500)" },
        { trigger: ".o_form_button_cancel", run: "click" },
    ],
});

addTour("mrp_mmr_planner_auditor", {
    steps: () => [
        { trigger: ".o_mrp_mmr_planner_search", run: "edit VC500" },
        { trigger: `${row} .o_mrp_mmr_planner_orders:contains(2 open orders)` },
        { trigger: ".o_mrp_mmr_planner:not(:has(.o_mrp_mmr_planner_plan)):not(:has(.o_mrp_mmr_planner_new))" },
    ],
});

addTour("mrp_mmr_split", {
    steps: () => [
        { trigger: ".o_field_widget[name=mmr_available_sizes]:contains(100 kg, 500 kg)" },
        { trigger: "button[name=action_mmr_split]", run: "click" },
        { trigger: ".modal .o_field_widget[name=production_id]" },
        { trigger: ".modal .o_field_widget[name=demand_qty]:contains(300)" },
        { trigger: `${plan} .o_data_row:eq(0) [name=batch_count]:contains(2)` },
        { trigger: ".modal button[name=action_create_orders]", run: "click" },
        { trigger: ".o_list_view .o_data_row:eq(4)" },
    ],
});
