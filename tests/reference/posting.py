"""The journal of the reference model: what each business transaction debits and credits (spec 01, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.reference.entities import Account, Charge, Item, PaymentItem

ACCOUNT_TYPES = {
    "Unbilled": "Asset",
    "Billed": "Asset",
    "Due": "Asset",
    "Cash": "Asset",
    "Expense": "Expense",
    "Revenue": "Revenue",
    "Unearned": "Liability",
    "Reserve": "Liability",
    "Unapplied": "Liability",
    "Designated Unapplied": "Liability",
    "Suspense": "Liability",
    "Goodwill Credit": "Expense",
    "Interest Credit": "Expense",
    "Other Credit": "Expense",
    "Collections Credit": "Liability",
    "Write-Off Expense": "Expense",
    "Negative Write-Off Income": "Revenue",
    "Negative Write-Off": "Revenue",
}
"""R-LED-05; by the name of the T-account without the charge pattern."""

Leg = tuple[tuple[str, str], str, str | None, str | None]
"""Owner (type, id), name of the T-account, charge pattern if it has one, policy of a designated fund."""


def charge_leg(charge: Charge, name: str) -> Leg:
    """A T-account of a charge pattern, owned by the charge's T-account owner."""
    return charge.t_account_owner, name, charge.pattern, None


def cash_leg(account: Account) -> Leg:
    """Cash of an account."""
    return ("Account", account.account_id), "Cash", None, None


def fund_leg(account: Account, policy_id: str | None) -> Leg:
    """The default Unapplied of an account, or the Designated Unapplied of a policy (2.7)."""
    name = "Unapplied" if policy_id is None else "Designated Unapplied"
    return ("Account", account.account_id), name, None, policy_id


@dataclass
class Journal:
    """Lines in the order in which they were posted; never changed."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    transactions: int = 0

    def post(
        self,
        transaction_type: str,
        business_date: date,
        transaction_date: date,
        amount: int,
        *,
        debit: list[Leg],
        credit: list[Leg],
        **context: Any,
    ) -> None:
        """Post one transaction: the amount on every leg; sides swap when it is negative (R-LED-15, R-LED-16)."""
        assert len(debit) == len(credit)
        if amount == 0:
            return
        if amount < 0:
            debit, credit, amount = credit, debit, -amount
        self.transactions += 1
        for line_no, (side, leg) in enumerate([("D", leg) for leg in debit] + [("C", leg) for leg in credit], 1):
            owner, name, pattern, fund_policy_id = leg
            line = {
                "business_date": business_date,
                "transaction_no": self.transactions,
                "transaction_type": transaction_type,
                "transaction_date": transaction_date,
                "line_no": line_no,
                "side": side,
                "owner_type": owner[0],
                "owner_id": owner[1],
                "t_account": f"{pattern} {name}" if pattern else name,
                "account_type": ACCOUNT_TYPES[name],
                "fund_policy_id": fund_policy_id,
                "amount": amount,
                "charge_key": None,
                "instruction_id": None,
                "charge_no": None,
                "item_no": None,
                "payment_id": None,
            }
            line.update(context)
            self.lines.append(line)

    def balances(self) -> dict[tuple[str, str, str, str | None], int]:
        """Natural balance (R-LED-06) by owner type, owner id, T-account and policy of a designated fund."""
        result: dict[tuple[str, str, str, str | None], int] = {}
        for line in self.lines:
            key = (line["owner_type"], line["owner_id"], line["t_account"], line["fund_policy_id"])
            debit_normal = line["account_type"] in ("Asset", "Expense")
            sign = 1 if (line["side"] == "D") == debit_normal else -1
            result[key] = result.get(key, 0) + sign * line["amount"]
        return result

    # One method per transaction type.

    def initial_charge(self, charge: Charge, today: date) -> None:
        """InitialChargeTxn, dated the effective date of the charge (R-TXN-01)."""
        debit, credit = {
            "immediate": (["Unbilled"], ["Revenue"]),
            "pro_rata": (["Unbilled"], ["Unearned"]),
            "pass_through": (["Unbilled", "Expense"], ["Reserve", "Revenue"]),
            "recapture": (["Unbilled", "Expense"], ["Reserve", "Revenue"]),  # R-TXN-02
        }[charge.pattern_data["subtype"]]
        self.post(
            "InitialChargeTxn",
            today,
            charge.effective_date,
            charge.amount,
            debit=[charge_leg(charge, name) for name in debit],
            credit=[charge_leg(charge, name) for name in credit],
            **of_charge(charge),
        )

    def item_moves(self, transaction_type: str, item: Item, to: str, out_of: str, today: date) -> None:
        """ChargeBilled and ChargeDue: the full amount of the item, paid or not (R-TXN-03, R-LED-26)."""
        debit, credit = charge_leg(item.charge, to), charge_leg(item.charge, out_of)
        self.post(transaction_type, today, today, item.amount, debit=[debit], credit=[credit], **of_item(item))

    def billed(self, item: Item, today: date) -> None:
        """ChargeBilled (A-5)."""
        self.item_moves("ChargeBilled", item, "Billed", "Unbilled", today)

    def due(self, item: Item, today: date) -> None:
        """ChargeDue (A-6)."""
        self.item_moves("ChargeDue", item, "Due", "Billed", today)

    def as_its_invoice(self, item: Item, today: date) -> None:
        """What an item that comes to a billed invoice has to catch up with (A-8)."""
        if item.invoice.status in ("Billed", "Due", "Written Off"):
            self.billed(item, today)
        if item.invoice.status in ("Due", "Written Off"):
            self.due(item, today)

    def money_received(
        self, account: Account, fund: str | None, payment: dict[str, Any], today: date, *, back: bool = False
    ) -> None:
        """DirectBillMoneyReceivedTxn (T-01), dated the day on which the money was received (R-TXN-26)."""
        debit, credit = cash_leg(account), fund_leg(account, fund)
        self.receipt("DirectBillMoneyReceivedTxn", payment, today, debit, credit, back=back)

    def receipt(
        self, transaction_type: str, payment: dict[str, Any], today: date, debit: Leg, credit: Leg, *, back: bool
    ) -> None:
        """Money in, recorded today, with effect on the payment date; taken back (T-02, T-05) with effect today."""
        ids = {"payment_id": payment["payment_id"]}
        when = today if back else payment["payment_date"]
        amount = -payment["amount"] if back else payment["amount"]
        self.post(transaction_type, today, when, amount, debit=[debit], credit=[credit], **ids)

    def suspense_received(self, payment: dict[str, Any], today: date, *, back: bool = False) -> None:
        """SuspPymtTransaction (T-03): the payment owns its Cash and Unapplied (R-SUS-02)."""
        owner = ("SuspensePayment", payment["payment_id"])
        debit: Leg = (owner, "Cash", None, None)
        credit: Leg = (owner, "Unapplied", None, None)
        self.receipt("SuspPymtTransaction", payment, today, debit, credit, back=back)

    def suspense_sent_back(self, payment: dict[str, Any], today: date, *, back: bool = False) -> None:
        """SuspPymtDisbPaid (A-10), out of the payment's own T-accounts; voided, the other way round."""
        owner = ("SuspensePayment", payment["payment_id"])
        debit: Leg = (owner, "Unapplied", None, None)
        credit: Leg = (owner, "Cash", None, None)
        amount = -payment["amount"] if back else payment["amount"]
        ids = {"payment_id": payment["payment_id"]}
        self.post("SuspPymtDisbPaid", today, today, amount, debit=[debit], credit=[credit], **ids)

    def item_paid(self, part: PaymentItem, today: date) -> None:
        """ChargePaidFromAccount (T-13, T-15); credits have a negative amount, so the sides swap.

        What a recapture brings goes to its owner's fund as well (R-RC-5, R-TXN-04).
        """
        charge = part.item.charge
        debit, credit = [fund_leg(part.account, part.fund_policy_id)], [charge_leg(charge, "Due")]
        if charge.pattern_data["subtype"] == "recapture":
            debit.append(charge_leg(charge, "Reserve"))
            credit.append(fund_leg(charge.owner, charge.fund_policy_id))
        ids = of_item(part.item) | {"payment_id": part.payment_id}
        self.post("ChargePaidFromAccount", today, today, part.amount, debit=debit, credit=credit, **ids)

    def written_off(self, item: Item, amount: int, today: date, *, back: bool = False) -> None:
        """ChargeWrittenOff: the sign selects the T-accounts (R-TXN-07); taken back, the sides swap (R-LED-13)."""
        legs = charge_leg(item.charge, "Write-Off Expense"), charge_leg(item.charge, "Due")
        if amount < 0:
            legs = charge_leg(item.charge, "Due"), charge_leg(item.charge, "Negative Write-Off Income")
        amount = -abs(amount) if back else abs(amount)
        self.post("ChargeWrittenOff", today, today, amount, debit=[legs[0]], credit=[legs[1]], **of_item(item))

    def in_suspense(
        self, account: Account, fund: str | None, payment: dict[str, Any], amount: int, today: date
    ) -> None:
        """AcctUnappliedSuspTxn (T-09); when negative AcctSuspenseReleaseTxn (T-10)."""
        debit: Leg = fund_leg(account, fund)
        credit: Leg = (("Account", account.account_id), "Suspense", None, None)
        ids = {"payment_id": payment["payment_id"]}
        if amount > 0:
            self.post("AcctUnappliedSuspTxn", today, today, amount, debit=[debit], credit=[credit], **ids)
        else:
            self.post("AcctSuspenseReleaseTxn", today, today, -amount, debit=[credit], credit=[debit], **ids)

    def ad_hoc_credit(
        self, account: Account, fund: str | None, transaction_type: str, amount: int, today: date
    ) -> None:
        """Money of the T-account of a type of credit into a fund; the other way when negative (R-TXN-09)."""
        name = transaction_type.removeprefix("Account").removesuffix("Txn").replace("Collection", "Collections")
        debit: Leg = (("Account", account.account_id), f"{name} Credit", None, None)
        self.post(transaction_type, today, today, amount, debit=[debit], credit=[fund_leg(account, fund)])

    def disbursement_paid(self, account: Account, fund: str | None, amount: int, today: date) -> None:
        """DisbursementPaid; the other way when negative (R-TXN-25)."""
        debit, credit = fund_leg(account, fund), cash_leg(account)
        self.post("DisbursementPaid", today, today, amount, debit=[debit], credit=[credit])

    def surplus_kept(self, account: Account, fund: str | None, amount: int, today: date) -> None:
        """AccountNegativeWriteoffTxn (A-WO-4); the other way when negative (A-WO-5)."""
        debit: Leg = fund_leg(account, fund)
        credit: Leg = (("Account", account.account_id), "Negative Write-Off", None, None)
        self.post("AccountNegativeWriteoffTxn", today, today, amount, debit=[debit], credit=[credit])

    def between_funds(self, account: Account, policy_id: str, amount: int, today: date) -> None:
        """TransferTransaction of a designated fund to the default one, the other way when negative (R-TXN-14)."""
        debit, credit = fund_leg(account, policy_id), fund_leg(account, None)
        self.post("TransferTransaction", today, today, amount, debit=[debit], credit=[credit])

    def transferred(
        self, account: Account, fund: str | None, to: Account, to_fund: str | None, amount: int, today: date
    ) -> None:
        """TransferTransaction between accounts, or between funds of one (T-17, R-TXN-14)."""
        debit, credit = fund_leg(account, fund), fund_leg(to, to_fund)
        self.post("TransferTransaction", today, today, amount, debit=[debit], credit=[credit])

    def earned(self, charge: Charge, amount: int, today: date) -> None:
        """ProRataChargeEarned (R-TXN-30)."""
        debit, credit = charge_leg(charge, "Unearned"), charge_leg(charge, "Revenue")
        self.post("ProRataChargeEarned", today, today, amount, debit=[debit], credit=[credit], **of_charge(charge))


def of_charge(charge: Charge) -> dict[str, Any]:
    """The ids of a charge, for a journal line."""
    return {
        "charge_key": charge.charge_key,
        "instruction_id": charge.instruction_id,
        "charge_no": charge.charge_no,
    }


def of_item(item: Item) -> dict[str, Any]:
    """The ids of an item, for a journal line."""
    return of_charge(item.charge) | {"item_no": item.item_no}
