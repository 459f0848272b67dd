// The control chart of yields: individual values above their moving ranges.

import { Component, onWillStart, onWillUnmount, useEffect, useRef } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const COLORS = { value: "#5b4a82", mean: "#2e7d32", limit: "#b26a00", band: "#c62828" };

/**
 * A chart of individual values above that of their moving ranges; the limits that are proposed follow the fields
 * of the form while they are typed.
 */
export class ControlChartField extends Component {
    static template = "mrp_mmr.ControlChartField";
    static props = { ...standardFieldProps, minimum: { type: String, optional: true }, maximum: { type: String, optional: true } };

    setup() {
        this.values = useRef("values");
        this.ranges = useRef("ranges");
        this.charts = [];
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => this.draw(),
            () => [JSON.stringify(this.chart), this.bound(this.props.minimum), this.bound(this.props.maximum)]
        );
        onWillUnmount(() => this.clear());
    }

    get chart() {
        return this.props.record.data[this.props.name] || { labels: [], values: [], ranges: [] };
    }

    /** What the picture says, for those who do not see it. */
    get description() {
        const { labels, mean, lower, upper } = this.chart;
        return _t("Yields of %(count)s batches in percent of theoretical: mean %(mean)s, limits %(lower)s to %(upper)s.", {
            count: labels.length, mean: mean || "–", lower: lower || "–", upper: upper || "–",
        });
    }

    bound(name) {
        return name ? this.props.record.data[name] : undefined;
    }

    clear() {
        this.charts.splice(0).forEach((chart) => chart.destroy());
    }

    draw() {
        this.clear();
        const { values, ranges, mean, lower, upper, moving_range } = this.chart;
        // The last part of the number is enough below a point.
        const labels = this.chart.labels.map((name) => name.split("/").at(-1));
        if (!labels.length || !this.values.el) {
            return;
        }
        const line = (label, value, color, dash) => ({
            label, data: labels.map(() => Number(value)), borderColor: color, borderDash: dash, borderWidth: 1.5, pointRadius: 0,
        });
        const low = this.bound(this.props.minimum);
        const high = this.bound(this.props.maximum);
        const isOutside = (value) => (low !== undefined && value < low) || (high !== undefined && value > high);
        const points = values.map(Number);
        this.charts.push(
            this.makeChart(this.values.el, labels, [
                {
                    label: _t("Yield, %"), data: points, borderColor: COLORS.value, borderWidth: 1.5, tension: 0,
                    pointRadius: points.map((value) => (isOutside(value) ? 7 : 4)), pointBackgroundColor: COLORS.value,
                    pointBorderColor: points.map((value) => (isOutside(value) ? COLORS.band : COLORS.value)),
                    pointBorderWidth: points.map((value) => (isOutside(value) ? 3 : 1)),
                    pointStyle: points.map((value) => (isOutside(value) ? "crossRot" : "circle")),
                },
                ...(mean ? [line(_t("Mean"), mean, COLORS.mean)] : []),
                ...(lower ? [line(_t("Lower limit"), lower, COLORS.limit, [6, 4]), line(_t("Upper limit"), upper, COLORS.limit, [6, 4])] : []),
                ...(low !== undefined ? [line(_t("Band, minimum"), low, COLORS.band), line(_t("Band, maximum"), high, COLORS.band)] : []),
            ])
        );
        this.charts.push(
            this.makeChart(this.ranges.el, labels, [
                {
                    label: _t("Moving range, %"), data: ranges.map((value) => (value === null ? null : Number(value))),
                    borderColor: COLORS.value, borderWidth: 1.5, tension: 0, pointRadius: 3, pointBackgroundColor: COLORS.value,
                },
                ...(moving_range ? [line(_t("Mean"), moving_range, COLORS.mean)] : []),
            ])
        );
    }

    makeChart(canvas, labels, datasets) {
        return new Chart(canvas, {
            type: "line",
            data: { labels, datasets },
            options: {
                animation: false, maintainAspectRatio: false,
                plugins: { legend: { position: "bottom", labels: { boxWidth: 18 } } },
                scales: { x: { ticks: { maxRotation: 0, autoSkip: true } } },
            },
        });
    }
}

export const controlChartField = {
    component: ControlChartField,
    displayName: _t("Control chart"),
    supportedTypes: ["json"],
    extractProps: ({ options }) => ({ minimum: options.minimum, maximum: options.maximum }),
    fieldDependencies: ({ options }) =>
        [options.minimum, options.maximum].filter(Boolean).map((name) => ({ name, type: "float" })),
};

registry.category("fields").add("mrp_mmr_control_chart", controlChartField);
