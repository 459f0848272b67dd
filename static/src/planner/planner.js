// The planner's matrix of products, batch sizes, open orders and open demand.

import { Component, onWillStart, useState } from "@odoo/owl";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { Pager } from "@web/core/pager/pager";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useAutofocus, useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { formatFloat } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const LIMIT = 40;

/** The planner's matrix: products and formulations with their batch sizes, open orders and open demand. */
export class Planner extends Component {
    static template = "mrp_mmr.Planner";
    static components = { Layout, Pager };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.display = { controlPanel: {} };
        const { search = "", offset = 0, limit = LIMIT } = this.props.state || {};
        this.state = useState({ search, offset, limit, data: { rows: [], total: 0, can_plan: false, digits: 2 } });
        useAutofocus({ refName: "search" });
        // Back from an order, the planner finds the page that was left.
        useSetupAction({
            getLocalState: () => ({
                search: this.state.search,
                offset: this.state.offset,
                limit: this.state.limit,
            }),
        });
        this.searchLater = useDebounced(() => this.load(0), 300);
        onWillStart(() => this.load(offset));
    }

    async load(offset = this.state.offset, limit = this.state.limit) {
        const { search } = this.state;
        const data = await this.keepLast.add(
            this.orm.call("mrp.mmr", "get_planner_data", [], { search, offset, limit })
        );
        Object.assign(this.state, { data, offset, limit });
    }

    onSearch(ev) {
        this.state.search = ev.target.value;
        this.searchLater();
    }

    onClear() {
        this.state.search = "";
        return this.load(0);
    }

    onPage({ offset, limit }) {
        return this.load(offset, limit);
    }

    quantity(value) {
        // A noise of floats is no demand, and there is no minus zero.
        const digits = this.state.data.digits;
        const rounded = Number(value.toFixed(digits)) + 0;
        return formatFloat(rounded, { digits: [16, digits], trailingZeros: false });
    }

    size(cell) {
        return `${formatFloat(cell.batch_size, { digits: [16, 6], trailingZeros: false })} ${cell.unit}`;
    }

    isShort(row) {
        return Number(row.forecast.toFixed(this.state.data.digits)) < 0;
    }

    date(value) {
        return formatDate(deserializeDate(value));
    }

    openRevisionClass(cell) {
        return cell.open_state === "draft" ? "text-bg-secondary" : "text-bg-info";
    }

    canPlanRow(row) {
        return this.state.data.can_plan && row.cells.some((cell) => cell.revision);
    }

    openMmr(cell) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "mrp.mmr",
            res_id: cell.id,
            views: [[false, "form"]],
        });
    }

    openOrders(cell) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Open Orders of %s", cell.name),
            res_model: "mrp.production",
            views: [[false, "list"], [false, "form"]],
            domain: [["mmr_id", "=", cell.id], ["state", "not in", ["done", "cancel"]]],
        });
    }

    /** Call a button of the masters as a form does; what it makes may change the figures shown here. */
    call(name, ids) {
        return this.action.doActionButton({
            type: "object",
            resModel: "mrp.mmr",
            resIds: ids,
            name,
            context: {},
            onClose: ({ noReload } = {}) => {
                // Odoo closes the dialog after this: never make it wait for a planner that was left meanwhile.
                if (!noReload) {
                    this.load();
                }
            },
        });
    }

    newOrder(cell) {
        return this.call("action_new_order", [cell.id]);
    }

    plan(row) {
        return this.call("action_plan", row.cells.filter((cell) => cell.revision).map((cell) => cell.id));
    }
}

registry.category("actions").add("mrp_mmr.planner", Planner);
