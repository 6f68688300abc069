//! Gemini generateContent.
