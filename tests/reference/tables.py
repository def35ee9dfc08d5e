"""What the reference model knows, as rows with external identities only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.reference.model import Model


class Tables:
    """The tables of a model."""

    def streams(self: Model) -> list[dict[str, Any]]:
        """Invoice streams."""
        return [
            {
                "account_id": stream.payer.account_id,
                "policy_id": stream.policy_id,
                "periodicity": stream.periodicity,
                "fix_invoices_on": stream.fix,
                "is_account_level_only": stream.is_account_level_only,
            }
            for stream in self.every_stream()
        ]

    def invoices(self: Model) -> list[dict[str, Any]]:
        """Invoices with status and amounts (R-BAL-06)."""
        return [
            {
                "invoice_key": invoice.invoice_key,
                "account_id": invoice.stream.payer.account_id,
                "policy_id": invoice.stream.policy_id,
                "periodicity": invoice.stream.periodicity,
                "cadence_date": invoice.slot,
                "bill_date": invoice.bill_date,
                "due_date": invoice.due_date,
                "status": invoice.status,
                "is_ad_hoc": invoice.is_ad_hoc,
                "amount": sum(item.amount for item in invoice.items),
                "amount_due": sum(item.unpaid for item in invoice.items),
            }
            for invoice in self.every_invoice()
        ]

    def charges(self: Model) -> list[dict[str, Any]]:
        """Charges; those of invoicing fees have neither instruction_id nor charge_no."""
        return [
            {
                "charge_key": charge.charge_key,
                "instruction_id": charge.instruction_id,
                "charge_no": charge.charge_no,
                "charge_pattern": charge.pattern,
                "amount": charge.amount,
                "charge_date": charge.charge_date,
                "effective_date": charge.effective_date,
                "owner_type": charge.t_account_owner[0],
                "owner_id": charge.t_account_owner[1],
                "owner_account_id": charge.owner.account_id,
                "payer_account_id": charge.payer.account_id,
                "policy_id": charge.policy_id,
                "term_number": charge.term_number,
                "context": charge.context,
                "hold_reason": charge.held,
                "reverses": charge.reverses.charge_key if charge.reverses else None,
                "reversal_reason": charge.reversal_reason,
                "charge_group": charge.charge_group,
                "earned": charge.earned,
            }
            for charge in self.all_charges
        ]

    def items(self: Model) -> list[dict[str, Any]]:
        """Invoice items, with the dates of their invoice."""
        return [
            {
                "charge_key": item.charge.charge_key,
                "instruction_id": item.charge.instruction_id,
                "charge_no": item.charge.charge_no,
                "item_no": item.item_no,
                "item_type": item.item_type,
                "installment_number": item.installment_number,
                "event_date": item.event_date,
                "amount": item.amount,
                "paid": item.paid,
                "written_off": item.written_off,
                "reversal_kind": item.reversal_kind,
                "related_charge_key": item.related.charge.charge_key if item.related else None,
                "related_item_no": item.related.item_no if item.related else 0,
                "account_id": item.invoice.stream.payer.account_id,
                "policy_id": item.charge.policy_id,
                "term_number": item.charge.term_number,
                "invoice_key": item.invoice.invoice_key,
                "bill_date": item.invoice.bill_date,
                "due_date": item.invoice.due_date,
                "status": item.invoice.status,
                "blackout_violation": item.blackout_violation,
            }
            for item in self.every_item()
        ]

    def payments(self: Model) -> list[dict[str, Any]]:
        """Payments: status executed or suspended; what was distributed of each."""
        distributed: dict[str | None, int] = {}
        for part in self.all_payment_items:
            distributed[part.payment_id] = distributed.get(part.payment_id, 0) + part.amount
        return [
            payment
            | {
                "invoice_key": payment["invoice"].invoice_key if payment["invoice"] else None,
                "distributed": distributed.get(payment["payment_id"], 0),
            }
            for payment in self.all_payments.values()
        ]

    def payment_items(self: Model) -> list[dict[str, Any]]:
        """What was paid of each item each time; of a credit two rows, what it gave and what it paid."""
        return [
            {
                "business_date": part.business_date,
                "kind": part.kind,
                "payment_id": part.payment_id,
                "account_id": part.account.account_id,
                "fund_policy_id": None if part.credit else part.fund_policy_id,
                "charge_key": part.item.charge.charge_key,
                "item_no": part.item.item_no,
                "credit_charge_key": part.credit.charge.charge_key if part.credit else None,
                "credit_item_no": part.credit.item_no if part.credit else None,
                "amount": part.amount,
            }
            for part in self.all_payment_items
        ]

    def funds(self: Model) -> list[dict[str, Any]]:
        """Unapplied funds: policy_id None is the default fund of the account."""
        return [
            {"account_id": account.account_id, "policy_id": policy_id, "balance": balance}
            for account in self.accounts.values()
            for policy_id, balance in account.funds.items()
        ]

    def journal(self: Model) -> list[dict[str, Any]]:
        """Journal lines."""
        return [dict(line) for line in self.posted.lines]

    def balances(self: Model) -> dict[tuple[str, str, str, str | None], int]:
        """Natural balances by (owner type, owner id, T-account, policy of a designated fund)."""
        return self.posted.balances()

    def rejects(self: Model) -> list[dict[str, Any]]:
        """Rows that were not booked."""
        return [dict(row) for row in self.rejected]

    def periods(self: Model) -> list[dict[str, Any]]:
        """Policy periods."""
        return [
            {
                "policy_id": policy.policy_id,
                "term_number": period.term_number,
                "account_id": policy.account.account_id,
                "effective_date": period.start,
                "expiration_date": period.end,
                "coverage_end": period.coverage_end,
                "status": period.status,
                "billing_method": "list_bill" if period.is_list_bill else "direct_bill",
                "payer_account_id": period.payer.account_id if period.is_list_bill else None,
                "payment_plan": next(
                    name for name, plan in self.carrier["payment_plans"].items() if plan is period.plan
                ),
                "closed_date": period.closed_date,
                "opened_date": period.opened_date,
                "has_equity_warnings": period.has_equity_warnings,
                "min_equity_days": period.min_equity_days,
                "return_premium_plan": next(
                    (
                        name
                        for name, plan in self.carrier.get("return_premium_plans", {}).items()
                        if plan is period.return_premium_plan
                    ),
                    None,
                ),
            }
            for policy in self.policies.values()
            for period in policy.periods.values()
        ]
