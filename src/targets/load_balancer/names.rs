//! Names of the spec as CloudFormation takes them: letters and digits, each once.

/// For each name one in camel case; what would come twice gets a number.
pub(super) fn logical<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let plain = camel(name);
        let mut unique = plain.clone();
        let mut number = 2;
        while all.contains(&unique) {
            unique = format!("{plain}N{number}");
            number += 1;
        }
        all.push(unique);
    }
    all
}

fn camel(name: &str) -> String {
    let words = name.split('-');
    words
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_name_comes_twice() {
        let names = ["a-b", "ab", "a-1", "a1", "a1-n2"];
        let logical = super::logical(names);
        assert_eq!(logical, ["AB", "Ab", "A1", "A1N2", "A1N2N2"]);
    }
}
