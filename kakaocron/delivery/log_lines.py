"""The log's lines on how a delivery ended, in the words that the users know."""

from __future__ import annotations

from kakaocron.kst import isoformat
from kakaocron.ledger.deliveries import Delivery
from kakaocron.states import Reason, State
from kakaocron.system.log import log
from kakaocron.text.causes import in_words


def log_end(delivery: Delivery) -> None:
    """Log what a delivery has come to; nothing of one that others have under way."""
    words = in_words(delivery.cause) if delivery.cause else delivery.detail
    why = f"{delivery.reason} ({words})"
    next_at = isoformat(delivery.next_attempt_at) if delivery.next_attempt_at else ""
    match delivery.state:
        case State.CONFIRMED:
            log.info("✅ 메시지 전송 성공: %s", delivery.id)
            log.info("✅ 전송 확인 완료: %s", delivery.id)
            if any(one.reason is Reason.PICTURE_LEFT_OUT for one in delivery.targets.values()):
                log.warning("🖼️ 그림 없이 전송: %s - %s", delivery.id, why)
        case State.SENT if delivery.reason is not Reason.BY_HAND:
            log.info("✅ 메시지 전송 성공: %s", delivery.id)
        case State.RETRYING:
            log.warning("🔄 메시지 재시도: %s - %s - %s", delivery.id, why, next_at)
        case State.UNKNOWN:
            log.warning("❓ 전송 결과 불명: %s - %s - %s", delivery.id, why, next_at or "held")
        case State.FAILED | State.MISSED:
            log.error("❌ 메시지 최종 실패: %s - %s - %s", delivery.id, delivery.state, why)


def log_receipt(delivery: Delivery) -> None:
    """Log the state that a delivery has come to by what a channel said of it afterwards."""
    if delivery.state is State.CONFIRMED:
        log.info("✅ 전송 확인 완료: %s", delivery.id)
    else:
        log_end(delivery)
