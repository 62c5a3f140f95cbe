"""Why a cell cannot travel, one reason per file; `refusal` collects them into the one error that users see."""
