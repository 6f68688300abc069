//! How much thinking a request asks for: `reasoning_effort` of OpenAI, and the object `reasoning` of aggregators.

use super::leave;
use crate::BadRequest;
use crate::chat::{Amount, Chat, Effort, Reasoning};
use crate::dialect::read::Field;

#[derive(Default)]
pub(super) struct ReasoningAsked {
    effort: Option<Amount>,
    /// From the object; it says more than the effort alone.
    amount: Option<Amount>,
    shown: Option<bool>,
}

impl ReasoningAsked {
    pub(super) fn read_effort(&mut self, effort: &Field<'_, '_>) -> Result<(), BadRequest> {
        self.effort = Some(amount_of(effort)?);
        Ok(())
    }

    pub(super) fn read_object(&mut self, chat: &mut Chat, reasoning: &Field<'_, '_>) -> Result<(), BadRequest> {
        let (mut effort, mut budget, mut enabled) = (None, None, None);
        reasoning.members(|name, member| {
            match name {
                "effort" => effort = Some(amount_of(&member)?),
                "max_tokens" => budget = Some(Amount::Budget(member.count()?)),
                "enabled" => enabled = Some(member.flag()?),
                "exclude" => self.shown = Some(!member.flag()?),
                other => leave(chat, format!("reasoning.{other}")),
            }
            Ok(())
        })?;
        self.amount = match enabled {
            Some(false) => Some(Amount::Off),
            Some(true) => budget.or(effort).or(Some(Amount::Adaptive)),
            None => budget.or(effort),
        };
        Ok(())
    }

    pub(super) fn finish(self, chat: &mut Chat) {
        match self.amount.or(self.effort) {
            Some(amount) => {
                chat.reasoning = Some(Reasoning {
                    amount,
                    shown: self.shown,
                });
            }
            // To hide what may be thought is no wish that anything be thought.
            None if self.shown.is_some() => leave(chat, "reasoning.exclude"),
            None => {}
        }
    }
}

fn amount_of(effort: &Field<'_, '_>) -> Result<Amount, BadRequest> {
    match &*effort.text()? {
        "none" => Ok(Amount::Off),
        other => Effort::parse(other)
            .map(Amount::Effort)
            .ok_or_else(|| effort.refuse("must be 'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'")),
    }
}
