//! GRUB's scripts as statements.
//!
//! Source: the GRUB manual, "Writing full configuration files directly" (quoting, reserved words, compound commands).

use crate::text;

/// Most tokens of a script.
const TOKENS_MAX: usize = 200_000;
/// How deep statements lie in each other at most.
const DEPTH_MAX: usize = 32;

/// A statement.
#[derive(Debug)]
pub(super) enum Statement {
    /// A command with its words and, for `menuentry` and `submenu`, a block.
    Command { words: Vec<Word>, block: Option<Vec<Statement>>, line: u32 },
    /// Conditions with what is run if they hold, then what is run if none does.
    If { branches: Vec<(Vec<Statement>, Vec<Statement>)>, otherwise: Vec<Statement> },
    /// A loop: how often it runs is not worked out.
    Loop { body: Vec<Statement> },
    /// The definition of a function.
    Function { name: String, body: Vec<Statement> },
}

/// A word of a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    pub(super) parts: Vec<Part>,
    /// Whether any of it was quoted, so that it is no reserved word, and no nothing.
    quoted: bool,
}

/// A part of a word.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    /// A variable's value; split at white space unless it is quoted.
    Variable {
        name: String,
        quoted: bool,
    },
}

impl Word {
    fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] if !self.quoted => Some(text),
            _ => None,
        }
    }

    fn push(&mut self, c: char) {
        if let Some(Part::Text(text)) = self.parts.last_mut() {
            text.push(c);
        } else {
            self.parts.push(Part::Text(c.into()));
        }
    }

    /// Whether it is an empty text in quotes.
    pub(super) fn is_quoted(&self) -> bool {
        self.quoted
    }
}

#[derive(Debug)]
enum Token {
    Word(Word, u32),
    End,
    Open,
    Close,
}

/// The statements of a script; or why they can't be told.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Statement>, String> {
    let tokens = tokens(bytes)?;
    let mut parser = Parser { tokens: tokens.into_iter().peekable() };
    let statements = parser.list(&[], 0)?;
    match parser.tokens.next() {
        None => Ok(statements),
        Some(_) => Err("the script has an end without a start".into()),
    }
}

fn tokens(bytes: &[u8]) -> Result<Vec<Token>, String> {
    let source = String::from_utf8_lossy(bytes.get(..text::FILE_MAX).unwrap_or(bytes));
    let mut chars = source.chars().peekable();
    let mut tokens = Vec::new();
    let mut word: Option<Word> = None;
    let mut line = 1;
    while let Some(c) = chars.next() {
        if tokens.len() > TOKENS_MAX {
            return Err("the script is too long".into());
        }
        match c {
            '\n' | ';' | ' ' | '\t' | '\r' | '{' | '}' | '|' | '&' | '<' | '>' => {
                tokens.extend(word.take().map(|word| Token::Word(word, line)));
                match c {
                    '{' => tokens.push(Token::Open),
                    '}' => tokens.push(Token::Close),
                    ' ' | '\t' | '\r' => {}
                    _ => tokens.push(Token::End),
                }
            }
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '\\' => match chars.next() {
                Some('\n') => line += 1,
                Some(c) => word.get_or_insert_default().push(c),
                None => {}
            },
            '\'' => {
                let word = word.get_or_insert_default();
                word.quoted = true;
                for c in chars.by_ref().take_while(|c| *c != '\'') {
                    line += u32::from(c == '\n');
                    word.push(c);
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                word.quoted = true;
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    line += u32::from(c == '\n');
                    match c {
                        '\\' => match chars.next() {
                            Some(c @ ('$' | '"' | '\\')) => word.push(c),
                            Some('\n') => line += 1,
                            Some(c) => {
                                word.push('\\');
                                word.push(c);
                            }
                            None => {}
                        },
                        '$' => variable(&mut chars, word, true),
                        c => word.push(c),
                    }
                }
            }
            '$' => variable(&mut chars, word.get_or_insert_default(), false),
            c => word.get_or_insert_default().push(c),
        }
        line += u32::from(c == '\n');
    }
    tokens.extend(word.map(|word| Token::Word(word, line)));
    Ok(tokens)
}

/// What follows a `$`.
fn variable(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut Word, quoted: bool) {
    let mut name = String::new();
    if chars.next_if_eq(&'{').is_some() {
        name.extend(chars.by_ref().take_while(|c| *c != '}').take(256));
    } else if let Some(c) = chars.next_if(|c| matches!(c, '?' | '@' | '*' | '#')) {
        name.push(c);
    } else {
        while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
    }
    if name.is_empty() {
        word.push('$');
    } else {
        word.parts.push(Part::Variable { name, quoted });
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Parser {
    /// Statements up to one of the reserved words `ends` or a closing brace, which are left.
    fn list(&mut self, ends: &[&str], depth: usize) -> Result<Vec<Statement>, String> {
        if depth > DEPTH_MAX {
            return Err("the script is nested too deeply".into());
        }
        let mut statements = Vec::new();
        loop {
            match self.tokens.peek() {
                None | Some(Token::Close) => return Ok(statements),
                Some(Token::End) => {
                    self.tokens.next();
                }
                Some(Token::Open) => {
                    self.tokens.next();
                    statements.extend(self.list(&[], depth + 1)?);
                    self.close()?;
                }
                Some(Token::Word(word, _)) => {
                    let plain = word.plain().unwrap_or_default().to_owned();
                    if ends.contains(&plain.as_str()) {
                        return Ok(statements);
                    }
                    statements.push(self.statement(&plain, depth)?);
                }
            }
        }
    }

    fn statement(&mut self, first: &str, depth: usize) -> Result<Statement, String> {
        match first {
            "if" => self.conditional(depth),
            "while" | "until" | "for" => {
                self.tokens.next();
                self.list(&["do"], depth + 1)?;
                self.reserved("do")?;
                let body = self.list(&["done"], depth + 1)?;
                self.reserved("done")?;
                Ok(Statement::Loop { body })
            }
            "function" => {
                self.tokens.next();
                let Some(Token::Word(name, _)) = self.tokens.next() else {
                    return Err("a function has no name".into());
                };
                while self.tokens.next_if(|token| matches!(token, Token::End)).is_some() {}
                let body = self.block(depth)?.ok_or("a function has no body")?;
                Ok(Statement::Function { name: name.plain().unwrap_or_default().to_owned(), body })
            }
            _ => self.command(depth),
        }
    }

    fn conditional(&mut self, depth: usize) -> Result<Statement, String> {
        let mut branches = Vec::new();
        loop {
            // `if` or `elif`.
            self.tokens.next();
            let condition = self.list(&["then"], depth + 1)?;
            self.reserved("then")?;
            let body = self.list(&["elif", "else", "fi"], depth + 1)?;
            branches.push((condition, body));
            let Some(Token::Word(word, _)) = self.tokens.peek() else {
                return Err("an `if` has no `fi`".into());
            };
            match word.plain() {
                Some("elif") => {}
                Some("else") => {
                    self.tokens.next();
                    let otherwise = self.list(&["fi"], depth + 1)?;
                    self.reserved("fi")?;
                    return Ok(Statement::If { branches, otherwise });
                }
                _ => {
                    self.reserved("fi")?;
                    return Ok(Statement::If { branches, otherwise: Vec::new() });
                }
            }
        }
    }

    fn command(&mut self, depth: usize) -> Result<Statement, String> {
        let mut words = Vec::new();
        let mut at = None;
        while let Some(Token::Word(word, line)) =
            self.tokens.next_if(|token| matches!(token, Token::Word(..)))
        {
            at.get_or_insert(line);
            words.push(word);
        }
        let block = self.block(depth)?;
        Ok(Statement::Command { words, block, line: at.unwrap_or(1) })
    }

    /// Statements in braces, if there are any here.
    fn block(&mut self, depth: usize) -> Result<Option<Vec<Statement>>, String> {
        if self.tokens.next_if(|token| matches!(token, Token::Open)).is_none() {
            return Ok(None);
        }
        let statements = self.list(&[], depth + 1)?;
        self.close()?;
        Ok(Some(statements))
    }

    fn close(&mut self) -> Result<(), String> {
        match self.tokens.next() {
            Some(Token::Close) => Ok(()),
            _ => Err("a brace is not closed".into()),
        }
    }

    fn reserved(&mut self, expected: &str) -> Result<(), String> {
        match self.tokens.next() {
            Some(Token::Word(word, _)) if word.plain() == Some(expected) => Ok(()),
            _ => Err(format!("`{expected}` is missing")),
        }
    }
}
